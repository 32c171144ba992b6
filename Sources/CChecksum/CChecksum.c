#include "CChecksum.h"

#include <pthread.h>
#include <string.h>

// The polynomial, its bits reversed.
static const uint32_t polynomial = 0x82F63B78;
static uint32_t table[256];

static void make_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t rest = byte;
        for (int bit = 0; bit < 8; bit++) rest = rest & 1 ? rest >> 1 ^ polynomial : rest >> 1;
        table[byte] = rest;
    }
}

static uint32_t by_table(uint32_t crc, const uint8_t *bytes, size_t count) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_table);
    while (count-- > 0) crc = crc >> 8 ^ table[(crc ^ *bytes++) & 0xFF];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t wide = crc;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    while (count-- > 0) crc = __builtin_ia32_crc32qi(crc, *bytes++);
    return crc;
}

static uint32_t update(uint32_t crc, const uint8_t *bytes, size_t count) {
    return __builtin_cpu_supports("sse4.2") ? by_instruction(crc, bytes, count) : by_table(crc, bytes, count);
}
#else
static uint32_t update(uint32_t crc, const uint8_t *bytes, size_t count) {
    return by_table(crc, bytes, count);
}
#endif

uint32_t stepwell_crc32c(const void *bytes, size_t count) {
    return ~update(~(uint32_t)0, bytes, count);
}
