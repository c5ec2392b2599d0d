#include "codec/bunzip2.h"

#include <bzlib.h>

#include <algorithm>
#include <limits>

namespace lanthorn {
namespace {

/// Decodes one stream of `source` behind what `made` has, and takes what it read from the front. True at its end.
bool stream(std::span<const std::byte>& source, uint64_t limit, Inflated& made) {
  constexpr uint64_t kStep = 64 * 1024;
  bz_stream decoder{};
  if (BZ2_bzDecompressInit(&decoder, 0, 0) != BZ_OK) return false;
  int result = BZ_OK;
  while (result == BZ_OK && !made.limited) {
    const auto given = static_cast<unsigned>(std::min<size_t>(source.size(), std::numeric_limits<int>::max()));
    // The library reads it only.
    decoder.next_in = const_cast<char*>(reinterpret_cast<const char*>(source.data()));
    decoder.avail_in = given;
    const size_t before = made.bytes.size();
    // One byte more than the limit tells whether there is more.
    made.bytes.resize(before + std::min(kStep, limit - before) + (limit - before < kStep ? 1 : 0));
    decoder.next_out = reinterpret_cast<char*>(made.bytes.data() + before);
    decoder.avail_out = static_cast<unsigned>(made.bytes.size() - before);
    result = BZ2_bzDecompress(&decoder);
    const bool stuck = decoder.avail_in == given && decoder.avail_out == made.bytes.size() - before;
    made.bytes.resize(made.bytes.size() - decoder.avail_out);
    source = source.subspan(given - decoder.avail_in);
    made.limited = made.bytes.size() > limit;
    if (stuck) break;
  }
  BZ2_bzDecompressEnd(&decoder);
  return result == BZ_STREAM_END;
}

}  // namespace

Inflated bunzip2_prefix(std::span<const std::byte> source, uint64_t limit) {
  Inflated made;
  do {
    made.whole = stream(source, limit, made);
  } while (made.whole && !made.limited && source.size() >= 3 && std::equal(source.begin(), source.begin() + 3, std::as_bytes(std::span("BZh")).begin()));
  if (made.limited) made.bytes.resize(limit);
  made.whole = made.whole && !made.limited;
  return made;
}

}  // namespace lanthorn
