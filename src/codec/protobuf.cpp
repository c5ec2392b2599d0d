#include "codec/protobuf.h"

#include <bit>
#include <cstring>

#include "base/check.h"

namespace lanthorn {
namespace {

template <class T>
T load_little(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native == std::endian::big) {
    T swapped = 0;
    for (size_t i = 0; i < sizeof value; ++i) {
      swapped = static_cast<T>(swapped << 8 | ((value >> (8 * i)) & 0xff));
    }
    value = swapped;
  }
  return value;
}

// Reads a varint of at most ten bytes; false if it is longer, too large or ends early.
bool take_varint(std::span<const std::byte> bytes, size_t& at, uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at >= bytes.size()) return false;
    const auto byte = static_cast<uint64_t>(bytes[at++]);
    if (shift == 63 && byte > 1) return false;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

Error corrupt(std::string what, uint64_t offset) {
  return Error{ErrorCode::kCorrupt, std::move(what), "offset " + std::to_string(offset), ""};
}

}  // namespace

float ProtoField::real32() const { return std::bit_cast<float>(static_cast<uint32_t>(value)); }
double ProtoField::real64() const { return std::bit_cast<double>(value); }

bool ProtoReader::fail(std::string_view what) {
  if (problem_.empty()) problem_ = what;
  return false;
}

bool ProtoReader::read_varint(uint64_t& value) {
  size_t at = position_;
  if (!take_varint(bytes_, at, value)) return fail("a varint is too long or ends early");
  position_ = at;
  return true;
}

bool ProtoReader::read(ProtoField& field) {
  uint64_t tag = 0;
  if (!read_varint(tag)) return false;
  if (tag >> 3 == 0 || tag >> 3 > 0x1fff'ffff) return fail("a field has an impossible number");
  field.number = static_cast<uint32_t>(tag >> 3);
  field.wire = static_cast<WireType>(tag & 7);
  field.offset = base_ + position_;
  field.value = 0;
  field.bytes = {};
  const size_t left = bytes_.size() - position_;
  switch (field.wire) {
    case WireType::kVarint:
      return read_varint(field.value);
    case WireType::kFixed64:
      if (left < 8) return fail("a fixed64 field ends early");
      field.value = load_little<uint64_t>(bytes_.data() + position_);
      position_ += 8;
      return true;
    case WireType::kFixed32:
      if (left < 4) return fail("a fixed32 field ends early");
      field.value = load_little<uint32_t>(bytes_.data() + position_);
      position_ += 4;
      return true;
    case WireType::kBytes: {
      uint64_t length = 0;
      if (!read_varint(length)) return false;
      if (length > bytes_.size() - position_) {
        return fail("a field of " + std::to_string(length) + " bytes reaches past the end, where " +
                    std::to_string(bytes_.size() - position_) + " are left");
      }
      field.offset = base_ + position_;
      field.bytes = bytes_.subspan(position_, static_cast<size_t>(length));
      position_ += static_cast<size_t>(length);
      return true;
    }
    case WireType::kGroupStart:
    case WireType::kGroupEnd:
      return true;
  }
  return fail("a field has a wire type that there is not");
}

bool ProtoReader::next(ProtoField& field) {
  uint32_t groups[kMaxGroupDepth];
  uint32_t depth = 0;
  while (problem_.empty() && position_ < bytes_.size()) {
    if (!read(field)) return false;
    if (field.wire == WireType::kGroupStart) {
      if (depth == kMaxGroupDepth) return fail("groups are nested too deep");
      groups[depth++] = field.number;
    } else if (field.wire == WireType::kGroupEnd) {
      if (depth == 0 || groups[--depth] != field.number)
        return fail("a group ends that never began");
    } else if (depth == 0) {
      return true;
    }
  }
  if (depth > 0) return fail("a group has no end");
  return false;
}

Status ProtoReader::status() const {
  if (problem_.empty()) return ok();
  return corrupt(problem_, base_ + position_);
}

Status ProtoNumbers::add(const ProtoField& field, WireType element, uint64_t& loose_bytes) {
  element_ = element;
  if (field.wire == element) {
    if (!packed_.empty()) loosen(loose_bytes);
    loose_.push_back(field.value);
    loose_bytes += sizeof(uint64_t);
    return ok();
  }
  if (field.wire != WireType::kBytes) {
    return corrupt("field " + std::to_string(field.number) + " has the wrong wire type",
                   field.offset);
  }
  uint64_t count = 0;
  if (element == WireType::kVarint) {
    for (size_t at = 0; at < field.bytes.size(); ++count) {
      uint64_t value = 0;
      if (!take_varint(field.bytes, at, value)) {
        return corrupt("a packed varint is too long or ends early", field.offset + at);
      }
    }
  } else {
    const size_t width = element == WireType::kFixed32 ? 4 : 8;
    if (field.bytes.size() % width != 0) {
      return corrupt("packed numbers of " + std::to_string(width) + " bytes take " +
                         std::to_string(field.bytes.size()) + " bytes",
                     field.offset);
    }
    count = field.bytes.size() / width;
  }
  if (empty()) {
    packed_ = field.bytes;
    packed_count_ = count;
    return ok();
  }
  loosen(loose_bytes);
  packed_ = field.bytes;
  loosen(loose_bytes);
  return ok();
}

uint64_t ProtoNumbers::take(size_t& at) const {
  uint64_t value = 0;
  if (element_ == WireType::kVarint) {
    LAN_CHECK(take_varint(packed_, at, value));
  } else if (element_ == WireType::kFixed32) {
    value = load_little<uint32_t>(packed_.data() + at);
    at += 4;
  } else {
    value = load_little<uint64_t>(packed_.data() + at);
    at += 8;
  }
  return value;
}

void ProtoNumbers::loosen(uint64_t& loose_bytes) {
  for (size_t at = 0; at < packed_.size();) {
    loose_.push_back(take(at));
    loose_bytes += sizeof(uint64_t);
  }
  packed_ = {};
  packed_count_ = 0;
}

std::vector<uint64_t> ProtoNumbers::values() const {
  std::vector<uint64_t> all;
  all.reserve(size());
  for_each([&](uint64_t value) { all.push_back(value); });
  return all;
}

void ProtoWriter::raw_varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
  out_.push_back(static_cast<char>(value));
}

void ProtoWriter::tag(uint32_t number, WireType wire) {
  raw_varint(uint64_t{number} << 3 | static_cast<uint64_t>(wire));
}

void ProtoWriter::varint(uint32_t number, uint64_t value) {
  tag(number, WireType::kVarint);
  raw_varint(value);
}

void ProtoWriter::fixed32(uint32_t number, uint32_t value) {
  tag(number, WireType::kFixed32);
  for (int i = 0; i < 4; ++i) out_.push_back(static_cast<char>(value >> (8 * i)));
}

void ProtoWriter::fixed64(uint32_t number, uint64_t value) {
  tag(number, WireType::kFixed64);
  for (int i = 0; i < 8; ++i) out_.push_back(static_cast<char>(value >> (8 * i)));
}

void ProtoWriter::real32(uint32_t number, float value) {
  fixed32(number, std::bit_cast<uint32_t>(value));
}

void ProtoWriter::bytes(uint32_t number, std::string_view value) {
  tag(number, WireType::kBytes);
  raw_varint(value.size());
  out_.append(value);
}

void ProtoWriter::hole(uint32_t number, uint64_t size, size_t id) {
  tag(number, WireType::kBytes);
  raw_varint(size);
  holes_.push_back({out_.size(), size, id});
  hole_bytes_ += size;
}

void ProtoWriter::message(uint32_t number, const ProtoWriter& message) {
  tag(number, WireType::kBytes);
  raw_varint(message.size());
  for (const ProtoHole& hole : message.holes_) {
    holes_.push_back({out_.size() + hole.position, hole.size, hole.id});
  }
  hole_bytes_ += message.hole_bytes_;
  out_.append(message.out_);
}

void ProtoWriter::packed_varints(uint32_t number, std::span<const int64_t> values) {
  ProtoWriter inner;
  for (const int64_t value : values) inner.raw_varint(static_cast<uint64_t>(value));
  bytes(number, inner.text());
}

}  // namespace lanthorn
