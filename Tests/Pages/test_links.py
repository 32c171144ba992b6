"""Every link of a page to another file, or to a heading, leads somewhere."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def pages():
    folders = [ROOT / name for name in ("docs", "Sources", "Benchmarks")]
    return [ROOT / "README.md", *sorted(page for folder in folders for page in folder.rglob("*.md"))]


def without_code(text):
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", lambda match: match[0].replace("](", "] ("), text)


def anchors(page):
    """The headings of a page, as a link names them: lower case, dashes for spaces, nothing else."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


class Links(unittest.TestCase):
    def test_every_link_leads_somewhere(self):
        broken = []
        count = 0
        for page in pages():
            for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8"))):
                if re.match(r"[a-z]+:", link):
                    continue
                count += 1
                path, _, anchor = link.partition("#")
                target = (page.parent / path).resolve() if path else page
                if not target.exists() or (anchor and anchor not in anchors(target)):
                    broken.append(f"{page.relative_to(ROOT)}: {link}")
        self.assertGreater(count, 50)
        self.assertEqual(broken, [])


if __name__ == "__main__":
    unittest.main()
