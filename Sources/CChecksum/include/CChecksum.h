#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli) as RFC 3720, appendix B.4, has it. Swift has no way to the processor's instruction for it.
uint32_t stepwell_crc32c(const void *_Nullable bytes, size_t count);

#endif
