// bzip2 (Julian Seward): runs, Burrows-Wheeler, move to front, Huffman; from the last to the first.
#include "codec/bunzip2.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace lanthorn {
namespace {

constexpr uint64_t kBlockMagic = 0x314159265359, kEndMagic = 0x177245385090;
constexpr uint64_t kStreamMagic = 0x425a68;  // "BZh"
constexpr int kMaxCodeBits = 20, kMaxTables = 6;
constexpr size_t kGroup = 50, kMaxSymbols = 258, kLevelBytes = 100'000;

/// Bits from the highest of each byte on; zeros behind the end, where `ended` tells.
class BitReader {
 public:
  explicit BitReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  uint64_t take(int count) {
    uint64_t value = 0;
    for (; count > 0; --count, ++bit_) {
      const size_t place = bit_ / 8;
      const unsigned byte = place < bytes_.size() ? static_cast<unsigned>(bytes_[place]) : 0;
      value = value << 1 | (byte >> (7 - bit_ % 8) & 1);
    }
    return value;
  }
  bool ended() const { return bit_ > uint64_t{8} * bytes_.size(); }
  /// To the next byte; false where there is none.
  bool align() {
    bit_ = (bit_ + 7) / 8 * 8;
    return bit_ / 8 < bytes_.size();
  }

 private:
  std::span<const std::byte> bytes_;
  uint64_t bit_ = 0;
};

/// A canonical Huffman code.
class HuffmanTable {
 public:
  /// False where the lengths are none of a code.
  bool read(BitReader& bits, size_t symbols) {
    std::array<uint8_t, kMaxSymbols> lengths{};
    auto length = static_cast<int>(bits.take(5));
    for (size_t i = 0; i < symbols; ++i) {
      while (bits.take(1) == 1) {
        length += bits.take(1) == 1 ? -1 : 1;
        if (length < 1 || length > kMaxCodeBits || bits.ended()) return false;
      }
      if (length < 1 || length > kMaxCodeBits) return false;
      lengths[i] = static_cast<uint8_t>(length);
    }
    counts_.fill(0);
    for (size_t i = 0; i < symbols; ++i) ++counts_[lengths[i]];
    size_t place = 0;
    for (int bit = 1; bit <= kMaxCodeBits; ++bit) {
      for (size_t i = 0; i < symbols; ++i) {
        if (lengths[i] == bit) ordered_[place++] = static_cast<uint16_t>(i);
      }
    }
    return true;
  }
  std::optional<uint16_t> next(BitReader& bits) const {
    uint32_t code = 0, first = 0, place = 0;
    for (size_t bit = 1; bit <= kMaxCodeBits; ++bit) {
      code = code << 1 | static_cast<uint32_t>(bits.take(1));
      const uint32_t count = counts_[bit];
      if (code >= first && code - first < count) return ordered_[place + code - first];
      place += count;
      first = (first + count) << 1;
    }
    return std::nullopt;
  }

 private:
  std::array<uint32_t, kMaxCodeBits + 1> counts_{};
  std::array<uint16_t, kMaxSymbols> ordered_{};
};

class Decoder {
 public:
  Decoder(std::span<const std::byte> source, uint64_t limit) : bits_(source), limit_(limit) {}

  Inflated run() {
    // What follows a stream and is none is ignored, as by Python.
    while (bits_.take(24) == kStreamMagic) {
      made_.whole = stream();
      if (!made_.whole || !bits_.align()) break;
    }
    return std::move(made_);
  }

 private:
  bool stream() {
    const uint64_t level = bits_.take(8) - '0';
    if (level < 1 || level > 9) return false;
    block_bytes_ = level * kLevelBytes;
    for (;;) {
      const uint64_t magic = bits_.take(48);
      bits_.take(32);  // the CRC
      if (bits_.ended()) return false;
      if (magic == kEndMagic) return true;
      if (magic != kBlockMagic || !block()) return false;
    }
  }

  bool read_symbols() {
    const uint64_t used = bits_.take(16);
    symbols_.clear();
    for (unsigned i = 0; i < 16; ++i) {
      if ((used >> (15 - i) & 1) == 0) continue;
      const uint64_t part = bits_.take(16);
      for (unsigned j = 0; j < 16; ++j) {
        if ((part >> (15 - j) & 1) != 0) symbols_.push_back(static_cast<uint8_t>(16 * i + j));
      }
    }
    return !symbols_.empty();
  }

  bool read_tables() {
    const auto tables = static_cast<size_t>(bits_.take(3));
    const auto count = static_cast<size_t>(bits_.take(15));
    if (tables < 2 || tables > kMaxTables || count == 0) return false;
    std::array<uint8_t, kMaxTables> front{};
    std::iota(front.begin(), front.end(), uint8_t{0});
    selectors_.clear();
    for (size_t i = 0; i < count; ++i) {
      size_t place = 0;
      while (bits_.take(1) == 1) {
        if (++place >= tables || bits_.ended()) return false;
      }
      std::rotate(front.begin(), front.begin() + static_cast<ptrdiff_t>(place),
                  front.begin() + static_cast<ptrdiff_t>(place) + 1);
      selectors_.push_back(front[0]);
    }
    for (size_t i = 0; i < tables; ++i) {
      if (!tables_[i].read(bits_, symbols_.size() + 2)) return false;
    }
    return true;
  }

  /// The block as the Burrows-Wheeler transform left it.
  bool read_transformed() {
    const size_t end = symbols_.size() + 1;
    std::vector<uint8_t> front = symbols_;
    transformed_.clear();
    uint64_t run = 0, weight = 1;
    for (size_t read = 0;; ++read) {
      if (read / kGroup >= selectors_.size() || bits_.ended()) return false;
      const auto symbol = tables_[selectors_[read / kGroup]].next(bits_);
      if (!symbol) return false;
      if (*symbol <= 1) {  // a run's length, in digits of 1 and 2
        run += weight << *symbol;
        weight <<= 1;
        if (run > block_bytes_) return false;
        continue;
      }
      if (transformed_.size() + run > block_bytes_) return false;
      transformed_.insert(transformed_.end(), run, front[0]);
      run = 0;
      weight = 1;
      if (*symbol == end) return !transformed_.empty();
      const auto place = front.begin() + (*symbol - 1);
      std::rotate(front.begin(), place, place + 1);
      transformed_.push_back(front[0]);
    }
  }

  bool block() {
    if (bits_.take(1) != 0) return false;  // shuffled: no bzip2 since 1.0 writes it
    const uint64_t origin = bits_.take(24);
    if (!read_symbols() || !read_tables() || !read_transformed()) return false;
    if (origin >= transformed_.size()) return false;
    std::array<uint32_t, 256> starts{};
    for (const uint8_t byte : transformed_) ++starts[byte];
    uint32_t sum = 0;
    for (uint32_t& start : starts) start = std::exchange(sum, sum + start);
    next_.resize(transformed_.size());
    for (size_t i = 0; i < transformed_.size(); ++i) {
      next_[starts[transformed_[i]]++] = static_cast<uint32_t>(i);
    }
    return write(next_[origin]);
  }

  /// Follows the transform's chain, and undoes the first runs: four equal bytes and a count.
  bool write(uint32_t place) {
    int equal = 0;
    int last = -1;
    for (size_t i = 0; i < transformed_.size(); ++i, place = next_[place]) {
      const uint8_t byte = transformed_[place];
      const bool is_count = equal == 4;
      const uint64_t times = is_count ? byte : 1;
      const auto value = static_cast<std::byte>(is_count ? last : byte);
      if (times > limit_ - made_.bytes.size()) {
        made_.limited = true;
        made_.bytes.resize(limit_, value);
        return false;
      }
      made_.bytes.insert(made_.bytes.end(), times, value);
      equal = is_count ? 0 : byte == last ? equal + 1 : 1;
      last = is_count ? -1 : byte;
    }
    return true;
  }

  BitReader bits_;
  uint64_t limit_, block_bytes_ = 0;
  std::vector<uint8_t> symbols_, selectors_, transformed_;
  std::vector<uint32_t> next_;
  std::array<HuffmanTable, kMaxTables> tables_;
  Inflated made_;
};

}  // namespace

Inflated bunzip2_prefix(std::span<const std::byte> source, uint64_t limit) {
  return Decoder(source, limit).run();
}

}  // namespace lanthorn
