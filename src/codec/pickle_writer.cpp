#include "codec/pickle_writer.h"

#include <bit>
#include <vector>

#include "base/check.h"

namespace lanthorn {
namespace {

template <class T>
void add_little(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

/// The bytes of LONG1: two's complement, little-endian, no longer than needed.
void trim(std::string& bytes) {
  while (bytes.size() > 1) {
    const auto last = static_cast<uint8_t>(bytes.back());
    const auto before = static_cast<uint8_t>(bytes[bytes.size() - 2]);
    const bool spare = (last == 0 && before < 0x80) || (last == 0xff && before >= 0x80);
    if (!spare) break;
    bytes.pop_back();
  }
}

}  // namespace

PickleWriter::PickleWriter() : out_("\x80\x02") {}

void PickleWriter::integer(int64_t value) {
  if (value >= 0 && value <= 0xff) {
    out_ += 'K';
    add_little(out_, static_cast<uint8_t>(value));
  } else if (value >= 0 && value <= 0xffff) {
    out_ += 'M';
    add_little(out_, static_cast<uint16_t>(value));
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    out_ += 'J';
    add_little(out_, static_cast<uint32_t>(value));
  } else {
    std::string bytes;
    add_little(bytes, static_cast<uint64_t>(value));
    trim(bytes);
    out_ += '\x8a';
    out_ += static_cast<char>(bytes.size());
    out_ += bytes;
  }
}

void PickleWriter::big_integer(std::string_view digits) {
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  std::vector<uint32_t> limbs;  // little-endian, base 2^32
  for (const char digit : digits) {
    uint64_t carry = static_cast<uint64_t>(digit - '0');
    for (uint32_t& limb : limbs) {
      carry += uint64_t{limb} * 10;
      limb = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry > 0) limbs.push_back(static_cast<uint32_t>(carry));
  }
  limbs.push_back(0);  // room for the sign
  if (negative) {
    uint64_t carry = 1;
    for (uint32_t& limb : limbs) {
      carry += static_cast<uint32_t>(~limb);
      limb = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
  }
  std::string bytes;
  for (const uint32_t limb : limbs) add_little(bytes, limb);
  trim(bytes);
  if (bytes.size() <= 0xff) {
    out_ += '\x8a';
    out_ += static_cast<char>(bytes.size());
  } else {
    out_ += '\x8b';
    add_little(out_, static_cast<uint32_t>(bytes.size()));
  }
  out_ += bytes;
}

void PickleWriter::real(double value) {
  out_ += 'G';
  const auto bits = std::bit_cast<uint64_t>(value);
  for (int shift = 56; shift >= 0; shift -= 8) out_ += static_cast<char>(bits >> shift & 0xff);
}

void PickleWriter::text(std::string_view value) {
  LAN_CHECK(value.size() <= UINT32_MAX);
  out_ += 'X';
  add_little(out_, static_cast<uint32_t>(value.size()));
  out_ += value;
}

void PickleWriter::literal(std::string_view value) {
  // A name of a global has a line feed in it, so that the two cannot meet.
  if (const auto known = named_.find(value); known != named_.end()) return get(known->second);
  text(value);
  named_.emplace(value, put());
}

void PickleWriter::global(std::string_view module, std::string_view name) {
  std::string key = std::string(module) + '\n' + std::string(name) + '\n';
  if (const auto known = named_.find(key); known != named_.end()) return get(known->second);
  out_ += 'c';
  out_ += key;
  named_.emplace(std::move(key), put());
}

void PickleWriter::close_tuple(size_t count) {
  constexpr char kShort[] = {')', '\x85', '\x86', '\x87'};
  out_ += count <= 3 ? kShort[count] : 't';
}

uint32_t PickleWriter::put() {
  if (next_ <= 0xff) {
    out_ += 'q';
    out_ += static_cast<char>(next_);
  } else {
    out_ += 'r';
    add_little(out_, next_);
  }
  return next_++;
}

void PickleWriter::get(uint32_t number) {
  if (number <= 0xff) {
    out_ += 'h';
    out_ += static_cast<char>(number);
  } else {
    out_ += 'j';
    add_little(out_, number);
  }
}

std::string PickleWriter::finish() {
  out_ += '.';
  return std::move(out_);
}

}  // namespace lanthorn
