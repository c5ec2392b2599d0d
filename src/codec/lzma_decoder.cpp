#include "codec/lzma_decoder.h"

#include <algorithm>

namespace lanthorn {
namespace {

constexpr uint16_t kHalf = 1024;  // of 2048: both values are as likely
constexpr uint32_t kTop = uint32_t{1} << 24;
constexpr uint32_t kMinMatch = 2;
constexpr size_t kLiteralProbs = 0x300;

template <class T>
void even(T& probs) {
  std::fill(probs.begin(), probs.end(), kHalf);
}
template <class T>
void even_all(T& rows) {
  for (auto& row : rows) even(row);
}

}  // namespace

bool LzmaDecoder::set_properties(uint8_t byte, int most) {
  if (byte >= 9 * 5 * 5) return false;
  lc_ = byte % 9;
  lp_ = byte / 9 % 5;
  pb_ = byte / 45;
  return lc_ + lp_ <= most;
}

void LzmaDecoder::reset_state() {
  state_ = 0;
  repeats_.fill(0);
  literals_.assign(kLiteralProbs << (lc_ + lp_), kHalf);
  for (auto* rows : {&is_match_, &is_long_repeat_}) even_all(*rows);
  for (auto* probs : {&is_repeat_, &is_repeat0_, &is_repeat1_, &is_repeat2_}) even(*probs);
  even_all(slots_);
  even(specials_);
  even(aligns_);
  for (Lengths* lengths : {&match_lengths_, &repeat_lengths_}) {
    lengths->choice = lengths->longer = kHalf;
    even_all(lengths->low);
    even_all(lengths->middle);
    even(lengths->high);
  }
}

bool LzmaDecoder::begin(std::span<const std::byte> source) {
  if (source.size() < 5 || source[0] != std::byte{0}) return false;
  source_ = source;
  range_ = UINT32_MAX;
  code_ = 0;
  for (read_ = 1; read_ < 5; ++read_) code_ = code_ << 8 | static_cast<uint32_t>(source_[read_]);
  return code_ < range_;
}

/// Zeros come behind the end; run() looks at `read_`.
void LzmaDecoder::normalize() {
  if (range_ >= kTop) return;
  range_ <<= 8;
  code_ = code_ << 8 | (read_ < source_.size() ? static_cast<uint32_t>(source_[read_]) : 0);
  ++read_;
}

unsigned LzmaDecoder::bit(Prob& prob) {
  const uint32_t bound = (range_ >> 11) * prob;
  const bool one = code_ >= bound;
  if (one) {
    range_ -= bound;
    code_ -= bound;
    prob = static_cast<Prob>(prob - (prob >> 5));
  } else {
    range_ = bound;
    prob = static_cast<Prob>(prob + ((2048 - prob) >> 5));
  }
  normalize();
  return one ? 1 : 0;
}

uint32_t LzmaDecoder::direct(int count) {
  uint32_t value = 0;
  for (; count > 0; --count) {
    range_ >>= 1;
    const bool one = code_ >= range_;
    if (one) code_ -= range_;
    normalize();
    value = value << 1 | (one ? 1 : 0);
  }
  return value;
}

uint32_t LzmaDecoder::tree(Prob* probs, int bits) {
  uint32_t place = 1;
  for (int i = 0; i < bits; ++i) place = place << 1 | bit(probs[place]);
  return place - (uint32_t{1} << bits);
}

uint32_t LzmaDecoder::reverse_tree(Prob* probs, int bits) {
  uint32_t place = 1, value = 0;
  for (int i = 0; i < bits; ++i) {
    const unsigned one = bit(probs[place]);
    place = place << 1 | one;
    value |= one << i;
  }
  return value;
}

uint32_t LzmaDecoder::length(Lengths& lengths, size_t place) {
  if (bit(lengths.choice) == 0) return tree(lengths.low[place].data(), 3);
  if (bit(lengths.longer) == 0) return 8 + tree(lengths.middle[place].data(), 3);
  return 16 + tree(lengths.high.data(), 8);
}

uint32_t LzmaDecoder::distance(uint32_t length) {
  const uint32_t slot = tree(slots_[std::min<uint32_t>(length, 3)].data(), 6);
  if (slot < 4) return slot;
  const int bits = static_cast<int>(slot >> 1) - 1;
  const uint32_t start = (2 | (slot & 1)) << bits;
  if (slot < 14) return start + reverse_tree(specials_.data() + (start - slot), bits);
  const uint32_t high = direct(bits - 4) << 4;
  return start + high + reverse_tree(aligns_.data(), 4);
}

void LzmaDecoder::literal() {
  const uint64_t position = out_.size() - base_;
  const unsigned previous = position > 0 ? static_cast<unsigned>(out_.back()) : 0;
  const uint64_t context =
      ((position & ((uint64_t{1} << lp_) - 1)) << lc_) + (previous >> (8 - lc_));
  Prob* const probs = literals_.data() + kLiteralProbs * context;
  unsigned symbol = 1;
  if (state_ >= 7) {
    unsigned matched = static_cast<unsigned>(out_[out_.size() - repeats_[0] - 1]);
    while (symbol < 0x100) {
      const unsigned wanted = matched >> 7 & 1;
      matched <<= 1;
      const unsigned one = bit(probs[((1 + wanted) << 8) + symbol]);
      symbol = symbol << 1 | one;
      if (wanted != one) break;
    }
  }
  while (symbol < 0x100) symbol = symbol << 1 | bit(probs[symbol]);
  out_.push_back(static_cast<std::byte>(symbol & 0xff));
  state_ = state_ < 4 ? 0 : state_ < 10 ? state_ - 3 : state_ - 6;
}

LzmaDecoder::End LzmaDecoder::copy(uint64_t length, uint64_t until) {
  for (; length > 0 && out_.size() < until; --length) {
    out_.push_back(out_[out_.size() - repeats_[0] - 1]);
  }
  return End::kFull;
}

/// A match, a repeated one, or the marker of the end.
LzmaDecoder::End LzmaDecoder::match_or_repeat(size_t place, uint64_t until) {
  const uint64_t known = out_.size() - base_;
  if (bit(is_repeat_[state_]) == 0) {
    std::rotate(repeats_.begin(), repeats_.end() - 1, repeats_.end());
    const uint32_t count = length(match_lengths_, place);
    state_ = state_ < 7 ? 7 : 10;
    repeats_[0] = distance(count);
    if (repeats_[0] == UINT32_MAX) return End::kMarker;
    if (repeats_[0] >= known) return End::kDamaged;
    return copy(count + kMinMatch, until);
  }
  if (known == 0) return End::kDamaged;
  if (bit(is_repeat0_[state_]) == 0) {
    if (bit(is_long_repeat_[state_][place]) == 0) {
      if (repeats_[0] >= known) return End::kDamaged;
      state_ = state_ < 7 ? 9 : 11;
      return copy(1, until);
    }
  } else {
    const size_t which = bit(is_repeat1_[state_]) == 0 ? 1 : bit(is_repeat2_[state_]) == 0 ? 2 : 3;
    std::rotate(repeats_.begin(), repeats_.begin() + static_cast<ptrdiff_t>(which),
                repeats_.begin() + static_cast<ptrdiff_t>(which) + 1);
  }
  const uint32_t count = length(repeat_lengths_, place);
  state_ = state_ < 7 ? 8 : 11;
  if (repeats_[0] >= known) return End::kDamaged;
  return copy(count + kMinMatch, until);
}

LzmaDecoder::End LzmaDecoder::run(std::span<const std::byte> source, uint64_t until) {
  if (!begin(source)) return End::kDamaged;
  while (out_.size() < until) {
    const uint64_t before = out_.size();
    const size_t place = (before - base_) & ((uint64_t{1} << pb_) - 1);
    End end = End::kFull;
    if (bit(is_match_[state_][place]) == 1) {
      end = match_or_repeat(place, until);
    } else if (state_ >= 7 && repeats_[0] >= before - base_) {
      end = End::kDamaged;
    } else {
      literal();
    }
    if (read_ > source_.size()) {
      out_.resize(before);  // what zeros behind the end were taken for
      return End::kDamaged;
    }
    if (end != End::kFull) return end;
  }
  return End::kFull;
}

}  // namespace lanthorn
