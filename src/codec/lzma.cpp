#include "codec/lzma.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "codec/byte_reader.h"
#include "codec/lzma_decoder.h"

namespace lanthorn {
namespace {

using End = LzmaDecoder::End;
using Bytes = std::span<const std::byte>;

constexpr int kMostLzma = 12, kMostLzma2 = 4;  // lc + lp: of the literals' contexts
constexpr uint64_t kUnknown = UINT64_MAX;

/// Properties, then LZMA of `size` bytes, or up to its marker.
Inflated decode(uint8_t properties, Bytes source, uint64_t size, uint64_t limit) {
  Inflated made;
  LzmaDecoder decoder(made.bytes);
  if (!decoder.set_properties(properties, kMostLzma)) return made;
  decoder.reset_state();
  // One byte more than the limit tells whether there is more.
  const uint64_t most = limit == UINT64_MAX ? limit : limit + 1;
  const End end = decoder.run(source, std::min(size, most));
  made.limited = made.bytes.size() > limit;
  if (made.limited) made.bytes.resize(limit);
  made.whole = !made.limited && (end == End::kMarker || (end == End::kFull && size != kUnknown));
  return made;
}

/// Reads .xz from front to back.
class XzReader {
 public:
  XzReader(Bytes source, uint64_t limit) : rest_(source), limit_(limit), decoder_(made_.bytes) {}

  Inflated run() {
    while (stream()) {
      made_.whole = true;
      while (rest_.size() >= 4 && load_little<uint32_t>(rest_.data()) == 0)
        rest_ = rest_.subspan(4);
      if (!as_text(rest_).starts_with(kMagic)) return std::move(made_);
      made_.whole = false;
    }
    return std::move(made_);
  }

 private:
  static constexpr std::string_view kMagic{
      "\xfd"
      "7zXZ\0",
      6};

  /// The next bytes; nothing where there are not so many.
  std::optional<Bytes> take(uint64_t count) {
    if (count > rest_.size()) return std::nullopt;
    const Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  std::optional<uint8_t> byte() {
    const auto taken = take(1);
    return taken ? std::optional(static_cast<uint8_t>((*taken)[0])) : std::nullopt;
  }
  std::optional<uint64_t> sixteen() {
    const auto taken = take(2);
    if (!taken) return std::nullopt;
    return static_cast<uint64_t>((*taken)[0]) << 8 | static_cast<uint64_t>((*taken)[1]);
  }
  /// Seven bits a byte, the lowest first.
  static std::optional<uint64_t> number(Bytes& from) {
    uint64_t value = 0;
    for (int shift = 0; shift < 63 && !from.empty(); shift += 7) {
      const auto part = static_cast<uint64_t>(from[0]);
      from = from.subspan(1);
      value |= (part & 0x7f) << shift;
      if ((part & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

  bool stream() {
    const auto header = take(12);
    if (!header || !as_text(*header).starts_with(kMagic)) return false;
    constexpr uint8_t kCheckBytes[] = {0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64};
    check_bytes_ = kCheckBytes[static_cast<uint8_t>((*header)[7]) & 15];
    for (;;) {
      if (rest_.empty()) return false;
      if (rest_[0] == std::byte{0}) return index();
      if (!block()) return false;
    }
  }

  bool index() {
    Bytes records = rest_.subspan(1);
    auto count = number(records);
    for (; count && *count > 0; --*count) {
      if (!number(records) || !number(records)) return false;
    }
    if (!count) return false;
    const uint64_t size = rest_.size() - records.size();
    return take((size + 3) / 4 * 4 + 4 + 12).has_value();  // the CRC and the stream's footer
  }

  bool block() {
    const uint64_t header_bytes = (static_cast<uint64_t>(rest_[0]) + 1) * 4;
    const auto header = take(header_bytes);
    if (!header) return false;
    const auto flags = static_cast<uint8_t>((*header)[1]);
    Bytes fields = header->subspan(2, header_bytes - 6);
    if ((flags & 0x40) != 0 && !number(fields)) return false;
    if ((flags & 0x80) != 0 && !number(fields)) return false;
    constexpr uint64_t kLzma2 = 0x21;
    const auto filter = number(fields);
    if ((flags & 3) != 0 || !filter || *filter != kLzma2) return false;
    const uint64_t before = rest_.size();
    if (!chunks()) return false;
    const uint64_t used = before - rest_.size();
    return take((used + 3) / 4 * 4 - used + check_bytes_).has_value();
  }

  /// LZMA2: pieces of LZMA with their sizes, and pieces as they are.
  bool chunks() {
    bool ready = false;
    for (bool first = true;; first = false) {
      const auto control = byte();
      if (!control) return false;
      if (*control == 0) return true;
      const bool packed = *control >= 0x80;
      if (!packed && *control > 2) return false;
      const bool fresh = packed ? *control >= 0xe0 : *control == 1;
      if (first && !fresh) return false;
      if (fresh) decoder_.reset_dictionary();
      const auto low = sixteen();
      if (!low) return false;
      if (!packed) {
        const auto plain = rest_.first(std::min<uint64_t>(rest_.size(), *low + 1));
        made_.bytes.insert(made_.bytes.end(), plain.begin(), plain.end());
        if (!take(*low + 1)) return false;
      } else {
        const auto compressed = sixteen();
        if (!compressed) return false;
        if (*control >= 0xc0) {
          const auto properties = byte();
          if (!properties || !decoder_.set_properties(*properties, kMostLzma2)) return false;
          ready = true;
        }
        if (!ready) return false;
        if (*control >= 0xa0) decoder_.reset_state();
        const Bytes source = rest_.first(std::min<uint64_t>(rest_.size(), *compressed + 1));
        const uint64_t until = made_.bytes.size() + ((*control & uint64_t{0x1f}) << 16) + *low + 1;
        if (decoder_.run(source, until) != End::kFull || !take(*compressed + 1)) return false;
      }
      if (made_.bytes.size() > limit_) {
        made_.limited = true;
        made_.bytes.resize(limit_);
        return false;
      }
    }
  }

  Bytes rest_;
  uint64_t limit_, check_bytes_ = 0;
  Inflated made_;
  LzmaDecoder decoder_;
};

}  // namespace

Inflated unxz_prefix(Bytes source, uint64_t limit) { return XzReader(source, limit).run(); }

Inflated unlzma_prefix(Bytes source, uint64_t limit) {
  if (source.size() < 13) return {};
  return decode(static_cast<uint8_t>(source[0]), source.subspan(13),
                load_little<uint64_t>(source.data() + 5), limit);
}

Inflated unlzma_zip_prefix(Bytes source, uint64_t limit) {
  if (source.size() < 9 || load_little<uint16_t>(source.data() + 2) != 5) return {};
  return decode(static_cast<uint8_t>(source[4]), source.subspan(9), kUnknown, limit);
}

}  // namespace lanthorn
