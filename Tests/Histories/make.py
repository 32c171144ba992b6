"""Makes a store in which everything has happened that a log can tell, and writes down what is to be read from it.

    python3 Tests/Histories/make.py WRITER READER FOLDER

WRITER is the `stepwell` of the release whose format is to be kept, READER the present one; FOLDER, such as
Tests/Histories/format-3, gets `data.mdb` and `expected.json`. Done once for each format, and never again: the tests hold every
later version to these files. The engines run on a machine named `histories` (unshare from util-linux).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SDK = HERE.parents[1] / "Sources" / "Workers" / "python"
HOST = ["unshare", "--map-root-user", "--uts", "sh", "-c", 'hostname histories && exec "$@"', "sh"]
NIGHTLY = ["--worker", "python3 -m stepwell worker handlers.py"]
LATE = ["--worker", "python3 late_worker.py"]


class Night:
    """A store, and the folder in which its engines run."""

    def __init__(self, writer, folder):
        self.writer = writer
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "USER": "ada", "STEPWELL_STORE": "store", "PYTHONPATH": str(SDK),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for file in ["nightly.yaml", "single.yaml", "handlers.py", "late_worker.py"]:
            shutil.copy(HERE / file, folder)

    def start(self, *words):
        return subprocess.Popen(
            [*HOST, self.writer, *words], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def stepwell(self, *words, code=0):
        process = self.start(*words)
        out, err = process.communicate(timeout=60)
        if process.returncode != code:
            sys.exit(f"{words} ended with {process.returncode} and not with {code}:\n{out}\n{err}")
        return out

    def run(self, template, *words, code=0, **fate):
        """The id of a new task."""
        report = self.stepwell("run", template, "--input", json.dumps(fate), *words, "-o", "json", code=code)
        return json.loads(report)["task_id"]

    def last(self):
        """The id and the events of the newest task."""
        tasks = json.loads(self.stepwell("list", "-o", "json", "--limit", "1"))
        if not tasks:
            return None, []
        lines = self.stepwell("events", tasks[0]["task_id"], "-o", "jsonl").splitlines()
        return tasks[0]["task_id"], [json.loads(line)["type"] for line in lines]

    def events(self):
        return [json.loads(line) for line in self.stepwell("events", "-o", "jsonl").splitlines()]

    def interrupt(self, number, until, **fate):
        """Runs a task until its log has events of all these types, sends the engine a signal, and gives the id."""
        before, _ = self.last()
        engine = self.start("run", "nightly.yaml", *NIGHTLY, "--grace", "0", "--input", json.dumps(fate))
        deadline = time.monotonic() + 60
        while True:
            task, types = self.last()
            if task != before and set(until) <= set(types):
                break
            if time.monotonic() > deadline or engine.poll() is not None:
                sys.exit(f"in vain until {until}: {types}")
            time.sleep(0.02)
        engine.send_signal(number)
        engine.communicate(timeout=60)
        return task

    def live(self):
        self.run(
            "nightly.yaml", *NIGHTLY, "--key", "2026-11-24", "--tag", "Nacht", "--priority", "5", "--reason", "wie immer",
            fetch="flaky")
        mended = self.run("nightly.yaml", *NIGHTLY, "--key", "größte", check="broken", code=1)
        (self.folder / "mended").touch()
        self.stepwell("retry", mended, *NIGHTLY, "--reason", "die Tabelle ist da")
        (self.folder / "mended").unlink()
        resolved = self.run("nightly.yaml", *NIGHTLY, "--key", "2026-11-24", "--new", check="broken", code=1)
        self.stepwell("resolve", resolved, "проверка", "--result", '{"by": "hand"}', "--reason", "von Hand")
        self.stepwell("resume", resolved, *NIGHTLY)
        cancelled = self.run("nightly.yaml", *NIGHTLY, check="broken", code=1)
        self.stepwell("cancel", cancelled, "--reason", "falsche Eingabe")
        self.run("nightly.yaml", *NIGHTLY, fetch="dies")
        self.run("single.yaml", *LATE, code=1)
        again = self.interrupt(signal.SIGKILL, ["attempt.checkpointed"], long="hangs")
        self.stepwell("resume", again, *NIGHTLY)
        # Left open: one whose engine was stopped in good order, and one whose engine was killed in the middle.
        self.interrupt(signal.SIGTERM, ["attempt.checkpointed"], long="hangs")
        self.interrupt(signal.SIGKILL, ["attempt.checkpointed", "retry.scheduled"], long="hangs", fetch="waits")


def expectation(reader, store):
    """What the reader says of the store."""

    def ask(*words):
        done = subprocess.run([reader, *words, "--store", str(store)], stdout=subprocess.PIPE, check=True, text=True)
        return done.stdout

    verified = json.loads(ask("verify", "-o", "json"))
    tasks = []
    for task in reversed(json.loads(ask("list", "-o", "json", "--limit", "1000"))):
        moment = json.loads(ask("replay", task["task_id"], "-o", "json"))
        bundle = ask("export", task["task_id"])
        tasks.append({
            "task_id": task["task_id"],
            "state": task["state"],
            "state_hash": json.loads(bundle.splitlines()[0])["state_hash"],
            "events": task["events"],
            "steps": {name: step["state"] for name, step in moment["task"]["steps"].items()},
            "waits": moment["waits"],
        })
    types = sorted({json.loads(line)["type"] for line in ask("events", "-o", "jsonl").splitlines()})
    return {
        "events": verified["events"], "commits": verified["commits"], "head_hash": verified["head_hash"], "types": types,
        "tasks": tasks,
    }


def main(writer, reader, target):
    target = Path(target)
    if target.exists():
        sys.exit(f"{target} is there already")
    writer, reader = str(Path(writer).resolve()), str(Path(reader).resolve())
    with tempfile.TemporaryDirectory() as folder:
        night = Night(writer, Path(folder))
        night.live()
        copy = Path(folder) / "copy"
        subprocess.run([reader, "backup", str(copy), "--store", str(Path(folder) / "store")], check=True)
        data = (copy / "data.mdb").read_bytes()
        for secret in [folder, str(HERE.parents[1])]:
            if secret.encode() in data:
                sys.exit(f"the store holds '{secret}', which is of this machine")
        starts = [event for event in night.events() if event["type"] == "engine.started"]
        if {event["data"]["host"] for event in starts} != {"histories"}:
            sys.exit("the store holds the name of this machine")
        expected = expectation(reader, copy)
        target.mkdir(parents=True)
        shutil.copy(copy / "data.mdb", target)
    text = json.dumps(expected, ensure_ascii=False, indent=1)
    (target / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
