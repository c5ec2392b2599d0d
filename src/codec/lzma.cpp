#include "codec/lzma.h"

#include <lzma.h>

#include <algorithm>
#include <cstdlib>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

using Bytes = std::span<const std::byte>;

/// What a decoder may take: dictionaries of up to 64 MiB, which is what `xz -9` makes.
constexpr uint64_t kMostMemory = uint64_t{96} << 20;

/// Runs a decoder that was set up (`ready`), and ends it.
Inflated decode(lzma_stream& stream, lzma_ret ready, Bytes source, uint64_t limit) {
  constexpr uint64_t kStep = 64 * 1024;
  Inflated made;
  stream.next_in = reinterpret_cast<const uint8_t*>(source.data());
  stream.avail_in = source.size();
  lzma_ret result = ready;
  while (result == LZMA_OK && !made.limited) {
    const size_t before = made.bytes.size();
    // One byte more than the limit tells whether there is more.
    made.bytes.resize(before + std::min(kStep, limit - before) + (limit - before < kStep ? 1 : 0));
    stream.next_out = reinterpret_cast<uint8_t*>(made.bytes.data() + before);
    stream.avail_out = made.bytes.size() - before;
    result = lzma_code(&stream, LZMA_FINISH);
    made.bytes.resize(made.bytes.size() - stream.avail_out);
    made.limited = made.bytes.size() > limit;
  }
  lzma_end(&stream);
  if (made.limited) made.bytes.resize(limit);
  made.whole = !made.limited && result == LZMA_STREAM_END;
  return made;
}

}  // namespace

Inflated unxz_prefix(Bytes source, uint64_t limit) {
  lzma_stream stream = LZMA_STREAM_INIT;
  const lzma_ret ready = lzma_stream_decoder(&stream, kMostMemory, LZMA_CONCATENATED | LZMA_IGNORE_CHECK);
  return decode(stream, ready, source, limit);
}

Inflated unlzma_prefix(Bytes source, uint64_t limit) {
  lzma_stream stream = LZMA_STREAM_INIT;
  const lzma_ret ready = lzma_alone_decoder(&stream, kMostMemory);
  return decode(stream, ready, source, limit);
}

Inflated unlzma_zip_prefix(Bytes source, uint64_t limit) {
  // The version of LZMA's own kit, the size of the properties, the properties.
  constexpr size_t kHeader = 4, kProperties = 5;
  if (source.size() < kHeader + kProperties || load_little<uint16_t>(source.data() + 2) != kProperties) return {};
  lzma_filter filters[] = {{LZMA_FILTER_LZMA1, nullptr}, {LZMA_VLI_UNKNOWN, nullptr}};
  lzma_ret ready = lzma_properties_decode(&filters[0], nullptr, reinterpret_cast<const uint8_t*>(source.data() + kHeader), kProperties);
  lzma_stream stream = LZMA_STREAM_INIT;
  if (ready == LZMA_OK && lzma_raw_decoder_memusage(filters) > kMostMemory) ready = LZMA_MEMLIMIT_ERROR;
  if (ready == LZMA_OK) ready = lzma_raw_decoder(&stream, filters);
  std::free(filters[0].options);
  return decode(stream, ready, source.subspan(kHeader + kProperties), limit);
}

}  // namespace lanthorn
