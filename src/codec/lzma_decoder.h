#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lanthorn {

/// Igor Pavlov's LZMA ("LZMA Specification", 2015), which appends to the bytes that it may copy
/// from. So the dictionary is the output itself, and what a file says of the dictionary's size
/// costs nothing.
class LzmaDecoder {
 public:
  enum class End : uint8_t { kFull, kMarker, kDamaged };

  explicit LzmaDecoder(std::vector<std::byte>& out) : out_(out), base_(out.size()) {}

  /// The byte that holds lc, lp and pb. False where it is none, or they are more than `most`
  /// together.
  bool set_properties(uint8_t byte, int most);
  /// Forgets what was learned.
  void reset_state();
  /// Nothing before what comes next is copied.
  void reset_dictionary() { base_ = out_.size(); }
  /// Decodes one piece of range-coded bytes until the output has `until` bytes.
  End run(std::span<const std::byte> source, uint64_t until);

 private:
  using Prob = uint16_t;
  struct Lengths {
    Prob choice, longer;
    std::array<std::array<Prob, 8>, 16> low, middle;
    std::array<Prob, 256> high;
  };

  bool begin(std::span<const std::byte> source);
  void normalize();
  unsigned bit(Prob& prob);
  uint32_t direct(int count);
  uint32_t tree(Prob* probs, int bits);
  uint32_t reverse_tree(Prob* probs, int bits);
  uint32_t length(Lengths& lengths, size_t place);
  uint32_t distance(uint32_t length);
  void literal();
  End copy(uint64_t length, uint64_t until);
  End match_or_repeat(size_t place, uint64_t until);

  std::vector<std::byte>& out_;
  uint64_t base_;
  int lc_ = 0, lp_ = 0, pb_ = 0;

  std::span<const std::byte> source_;
  size_t read_ = 0;
  uint32_t range_ = 0, code_ = 0;

  size_t state_ = 0;
  std::array<uint32_t, 4> repeats_{};
  std::vector<Prob> literals_;
  std::array<std::array<Prob, 16>, 12> is_match_, is_long_repeat_;
  std::array<Prob, 12> is_repeat_, is_repeat0_, is_repeat1_, is_repeat2_;
  std::array<std::array<Prob, 64>, 4> slots_;
  std::array<Prob, 115> specials_;
  std::array<Prob, 16> aligns_;
  Lengths match_lengths_, repeat_lengths_;
};

}  // namespace lanthorn
