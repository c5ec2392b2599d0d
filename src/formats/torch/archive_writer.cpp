#include "formats/torch/archive_writer.h"

#include <algorithm>
#include <functional>

#include "codec/byte_record.h"
#include "codec/crc32.h"

namespace lanthorn {
namespace {

constexpr uint64_t kNarrow = 0xffffffff;  // from here on a 32-bit field says "see zip64"
constexpr uint64_t kAlignment = 64;
constexpr uint32_t kHasDescriptor = 8, kUtf8 = 0x800;

/// boost's hash_combine, as PyTorch has it.
uint64_t combine(uint64_t seed, uint64_t value) {
  return seed ^ (value + 0x9e3779b9 + (seed << 6) + (seed >> 2));
}

std::string twenty_digits(uint64_t value) {
  const std::string digits = std::to_string(value);
  return std::string(20 - digits.size(), '0') + digits;
}

}  // namespace

Status TorchArchiveWriter::add(std::string_view record, std::span<const std::byte> bytes) {
  LAN_OK(begin(record, bytes.size()));
  LAN_OK(file_.write(bytes));
  return end(crc32(0, bytes));
}

Status TorchArchiveWriter::begin(std::string_view record, uint64_t bytes) {
  Entry entry;
  entry.name = prefix_ + "/" + std::string(record);
  entry.bytes = bytes;
  entry.offset = file_.position();
  if (entry.name.size() > UINT16_MAX) {
    return Error{ErrorCode::kUnsupported, "a name of " + std::to_string(entry.name.size()) +
                                              " bytes does not fit into a zip archive"};
  }
  // The sizes are in the descriptor behind the record, but a record that is large or lies far behind
  // has a zip64 field here, and its presence makes the descriptor wide.
  ByteRecord zip64;
  const bool large = bytes >= kNarrow, far = entry.offset >= kNarrow;
  entry.wide = large || far;
  if (entry.wide) zip64.u16(1).u16((large ? 16 : 0) + (far ? 8 : 0));
  if (large) zip64.u64(bytes).u64(0);
  if (far) zip64.u64(entry.offset);
  const uint64_t start = entry.offset + 30 + entry.name.size() + zip64.size() + 4;
  const uint64_t padding = (kAlignment - start % kAlignment) % kAlignment;
  ByteRecord header;
  header.u32(0x04034b50).u16(0).u16(kUtf8 | (bytes > 0 ? kHasDescriptor : 0)).u16(0).u16(0).u16(0);
  header.u32(0).u32(0).u32(0).u16(entry.name.size()).u16(zip64.size() + 4 + padding);
  header.text(entry.name).text(zip64.view()).text("FB").u16(padding);
  header.text(std::string(padding, 'Z'));
  records_.emplace(record);
  entries_.push_back(std::move(entry));
  return file_.write(header.bytes());
}

Status TorchArchiveWriter::end(uint32_t crc) {
  Entry& entry = entries_.back();
  entry.crc = crc;
  if (entry.bytes == 0) return ok();
  combined_crc_ = combine(combined_crc_, crc);
  ByteRecord descriptor;
  descriptor.u32(0x08074b50).u32(crc);
  if (entry.wide) {
    descriptor.u64(entry.bytes).u64(entry.bytes);
  } else {
    descriptor.u32(entry.bytes).u32(entry.bytes);
  }
  return file_.write(descriptor.bytes());
}

std::string TorchArchiveWriter::id() const {
  uint64_t names = 0;
  for (const std::string& record : records_) names = combine(names, std::hash<std::string>()(record));
  return twenty_digits(names) + twenty_digits(combined_crc_);
}

Status TorchArchiveWriter::finish() {
  LAN_OK(add("version", as_bytes("3\n")));
  LAN_OK(add(".data/serialization_id", as_bytes(id())));
  const uint64_t start = file_.position();
  for (const Entry& entry : entries_) {
    const bool large = entry.bytes >= kNarrow, far = entry.offset >= kNarrow;
    const uint64_t extra = (large ? 16 : 0) + (far ? 8 : 0);
    ByteRecord record;
    record.u32(0x02014b50).u16(0).u16(0).u16(kUtf8 | (entry.bytes > 0 ? kHasDescriptor : 0));
    record.u16(0).u16(0).u16(0).u32(entry.crc);
    record.u32(std::min(entry.bytes, kNarrow)).u32(std::min(entry.bytes, kNarrow));
    record.u16(entry.name.size()).u16(extra > 0 ? extra + 4 : 0).u16(0).u16(0).u16(0).u32(0);
    record.u32(std::min(entry.offset, kNarrow)).text(entry.name);
    if (extra > 0) record.u16(1).u16(extra);
    if (large) record.u64(entry.bytes).u64(entry.bytes);
    if (far) record.u64(entry.offset);
    LAN_OK(file_.write(record.bytes()));
  }
  const uint64_t end = file_.position(), bytes = end - start, count = entries_.size();
  ByteRecord tail;
  tail.u32(0x06064b50).u64(44).u16(0x031e).u16(45).u32(0).u32(0);
  tail.u64(count).u64(count).u64(bytes).u64(start);
  tail.u32(0x07064b50).u32(0).u64(end).u32(1);
  const uint64_t shown = std::min<uint64_t>(count, 0xffff);
  tail.u32(0x06054b50).u16(0).u16(0).u16(shown).u16(shown);
  tail.u32(std::min(bytes, kNarrow)).u32(std::min(start, kNarrow)).u16(0);
  return file_.write(tail.bytes());
}

std::string torch_archive_prefix(std::string_view file_name) {
  file_name = file_name.substr(file_name.find_last_of("/\\") + 1);
  const std::string_view stem = file_name.substr(0, file_name.rfind('.'));
  const bool plain = std::all_of(stem.begin(), stem.end(), [](char c) { return c > 0; });
  return stem.empty() || !plain ? "archive" : std::string(stem);
}

}  // namespace lanthorn
