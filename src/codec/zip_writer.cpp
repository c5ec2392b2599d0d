#include "codec/zip_writer.h"

#include <algorithm>

#include "codec/byte_record.h"
#include "codec/crc32.h"

namespace lanthorn {
namespace {

constexpr uint64_t kNarrow = 0xffffffff;  // from here on a 32-bit field says "see zip64"

}  // namespace

ZipWriter::ZipWriter(Sink sink, uint64_t alignment)
    : sink_(std::move(sink)), alignment_(alignment) {}

Status ZipWriter::put(std::span<const std::byte> bytes) {
  position_ += bytes.size();
  return sink_(bytes);
}

Status ZipWriter::add(std::string_view name, std::span<const std::byte> bytes) {
  return add(name, std::span(&bytes, 1));
}

Status ZipWriter::add(std::string_view name, std::span<const std::span<const std::byte>> parts) {
  Entry entry{std::string(name), 0, 0, position_};
  for (const auto part : parts) {
    entry.crc32 = crc32(entry.crc32, part);
    entry.bytes += part.size();
  }
  if (name.size() > UINT16_MAX) {
    return Error{ErrorCode::kUnsupported, "a name of " + std::to_string(name.size()) +
                                              " bytes does not fit into a zip archive"};
  }
  const bool wide = entry.bytes >= kNarrow;
  const uint64_t wide_bytes = wide ? 20 : 0;
  const uint64_t unpadded = position_ + 30 + name.size() + wide_bytes + 4;
  const uint64_t padding = (alignment_ - unpadded % alignment_) % alignment_;
  ByteRecord header;
  header.u32(0x04034b50).u16(wide ? 45 : 20).u16(0x0800).u16(0).u16(0).u16(0x21);
  header.u32(entry.crc32).u32(wide ? kNarrow : entry.bytes).u32(wide ? kNarrow : entry.bytes);
  header.u16(name.size()).u16(wide_bytes + 4 + padding).text(name);
  if (wide) header.u16(1).u16(16).u64(entry.bytes).u64(entry.bytes);
  // The padding is an extra field that nobody knows; "FB" is what PyTorch calls its own.
  header.text("FB").u16(padding).text(std::string(padding, 'Z'));
  LAN_OK(put(header.bytes()));
  for (const auto part : parts) LAN_OK(put(part));
  entries_.push_back(std::move(entry));
  return ok();
}

Status ZipWriter::finish() {
  const uint64_t start = position_;
  for (const Entry& entry : entries_) {
    const bool wide = entry.bytes >= kNarrow, far = entry.offset >= kNarrow;
    const uint64_t extra = (wide ? 16 : 0) + (far ? 8 : 0);
    ByteRecord record;
    record.u32(0x02014b50)
        .u16(0x0314)
        .u16(wide || far ? 45 : 20)
        .u16(0x0800)
        .u16(0)
        .u16(0)
        .u16(0x21);
    record.u32(entry.crc32).u32(std::min(entry.bytes, kNarrow)).u32(std::min(entry.bytes, kNarrow));
    record.u16(entry.name.size()).u16(extra > 0 ? extra + 4 : 0).u16(0).u16(0).u16(0);
    record.u32(0100644U << 16).u32(std::min(entry.offset, kNarrow)).text(entry.name);
    if (extra > 0) record.u16(1).u16(extra);
    if (wide) record.u64(entry.bytes).u64(entry.bytes);
    if (far) record.u64(entry.offset);
    LAN_OK(put(record.bytes()));
  }
  const uint64_t bytes = position_ - start, count = entries_.size();
  if (start >= kNarrow || bytes >= kNarrow || count >= 0xffff) {
    ByteRecord wide;
    const uint64_t end64 = position_;
    wide.u32(0x06064b50).u64(44).u16(0x032d).u16(45).u32(0).u32(0);
    wide.u64(count).u64(count).u64(bytes).u64(start);
    wide.u32(0x07064b50).u32(0).u64(end64).u32(1);
    LAN_OK(put(wide.bytes()));
  }
  ByteRecord end;
  const uint64_t shown = std::min<uint64_t>(count, 0xffff);
  end.u32(0x06054b50).u16(0).u16(0).u16(shown).u16(shown);
  end.u32(std::min(bytes, kNarrow)).u32(std::min(start, kNarrow)).u16(0);
  return put(end.bytes());
}

}  // namespace lanthorn
