#include "codec/inflate.h"

#include <zlib.h>

#include <algorithm>

namespace lanthorn {

Inflated inflate_prefix(std::span<const std::byte> source, DeflateWrapper wrapper, uint64_t limit) {
  constexpr uint64_t kPiece = uint64_t{1} << 30, kFirst = 4096;
  const int bits = wrapper == DeflateWrapper::kNone   ? -MAX_WBITS
                   : wrapper == DeflateWrapper::kZlib ? MAX_WBITS
                                                      : MAX_WBITS + 16;
  Inflated made;
  z_stream stream{};
  if (inflateInit2(&stream, bits) != Z_OK) return made;
  uint64_t read = 0, written = 0;
  int state = Z_OK;
  while (state == Z_OK && written < limit) {
    if (written == made.bytes.size()) {
      made.bytes.resize(std::min(limit, std::max(kFirst, written * 2)));
    }
    const uint64_t room = std::min<uint64_t>(made.bytes.size() - written, kPiece);
    const uint64_t offered = std::min<uint64_t>(source.size() - read, kPiece);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(source.data() + read));
    stream.avail_in = static_cast<uInt>(offered);
    stream.next_out = reinterpret_cast<Bytef*>(made.bytes.data() + written);
    stream.avail_out = static_cast<uInt>(room);
    state = inflate(&stream, Z_NO_FLUSH);
    read += offered - stream.avail_in;
    written += room - stream.avail_out;
  }
  inflateEnd(&stream);
  made.bytes.resize(written);
  made.whole = state == Z_STREAM_END;
  made.limited = state == Z_OK;
  return made;
}

}  // namespace lanthorn
