#include "codec/crc32.h"

#include <zlib.h>

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lanthorn {
namespace {

uint32_t by_table(uint32_t crc, std::span<const std::byte> bytes) {
  constexpr size_t kPiece = size_t{1} << 30;
  for (size_t done = 0; done < bytes.size(); done += kPiece) {
    const auto piece = bytes.subspan(done, std::min(kPiece, bytes.size() - done));
    crc = static_cast<uint32_t>(::crc32(crc, reinterpret_cast<const Bytef*>(piece.data()),
                                        static_cast<uInt>(piece.size())));
  }
  return crc;
}

#if defined(__x86_64__)

constexpr size_t kBlock = 64;

__attribute__((target("pclmul,sse4.1"))) inline __m128i fold(__m128i value, __m128i keys, __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(value, keys, 0x00);
  const __m128i high = _mm_clmulepi64_si128(value, keys, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/// Folds whole blocks of 64 bytes (at least one), then reduces by Barrett's method: V. Gopal et al.,
/// "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009. The keys
/// are powers of x modulo the polynomial, for the distances 512 and 128 bits. `state` and the result
/// are without the inversions of the CRC.
__attribute__((target("pclmul,sse4.1"))) uint32_t fold_blocks(uint32_t state, const std::byte* data, size_t blocks) {
  const auto load = [](const std::byte* at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  };
  const __m128i by_512 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);
  const __m128i by_128 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
  __m128i a = _mm_xor_si128(load(data), _mm_cvtsi32_si128(static_cast<int>(state)));
  __m128i b = load(data + 16), c = load(data + 32), d = load(data + 48);
  for (size_t i = 1; i < blocks; ++i) {
    data += kBlock;
    a = fold(a, by_512, load(data));
    b = fold(b, by_512, load(data + 16));
    c = fold(c, by_512, load(data + 32));
    d = fold(d, by_512, load(data + 48));
  }
  a = fold(a, by_128, b);
  a = fold(a, by_128, c);
  a = fold(a, by_128, d);
  // 128 bits to 64, 64 to 32.
  const __m128i low_32 = _mm_setr_epi32(-1, 0, -1, 0);
  a = _mm_xor_si128(_mm_srli_si128(a, 8), _mm_clmulepi64_si128(a, by_128, 0x10));
  a = _mm_xor_si128(_mm_srli_si128(a, 4),
                    _mm_clmulepi64_si128(_mm_and_si128(a, low_32), _mm_set_epi64x(0, 0x163cd6124), 0x00));
  const __m128i barrett = _mm_set_epi64x(0x1f7011641, 0x1db710641);
  __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(a, low_32), barrett, 0x10);
  quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, low_32), barrett, 0x00);
  return static_cast<uint32_t>(_mm_extract_epi32(_mm_xor_si128(a, quotient), 1));
}

#endif

}  // namespace

uint32_t crc32(uint32_t crc, std::span<const std::byte> bytes) {
#if defined(__x86_64__)
  if (bytes.size() >= kBlock && __builtin_cpu_supports("pclmul") &&
      __builtin_cpu_supports("sse4.1")) {
    const size_t blocks = bytes.size() / kBlock;
    crc = ~fold_blocks(~crc, bytes.data(), blocks);
    bytes = bytes.subspan(blocks * kBlock);
  }
#endif
  return by_table(crc, bytes);
}

}  // namespace lanthorn
