#include "codec/zip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

#include "base/utf8.h"
#include "codec/byte_reader.h"
#include "codec/crc32.h"

namespace lanthorn {
namespace {

// Records of APPNOTE.TXT: signatures, and lengths without names, extra fields and comments.
constexpr uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50, kEnd64Signature = 0x06064b50;
constexpr uint32_t kLocator64Signature = 0x07064b50;
constexpr uint64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56;
constexpr uint64_t kLocatorBytes = 20, kMaxComment = 65535;
constexpr uint16_t kEncrypted = 1U << 0, kDescriptor = 1U << 3, kPatched = 1U << 5;
constexpr uint16_t kStrong = 1U << 6, kMasked = 1U << 13;
constexpr uint16_t kZip64Extra = 1;
constexpr uint64_t kMaxEntries = 1'000'000, kMaxName = 4096;
constexpr uint64_t kMaxInflation = 1032;  // of deflate

Error corrupt(std::string message, uint64_t offset) {
  return Error{ErrorCode::kCorrupt, std::move(message), "byte " + std::to_string(offset)};
}

template <class T>
T at(std::span<const std::byte> bytes, uint64_t offset) {
  return load_little<T>(bytes.data() + offset);
}

bool has(std::span<const std::byte> bytes, uint64_t offset, uint64_t count) {
  return offset <= bytes.size() && count <= bytes.size() - offset;
}

struct Directory {
  uint64_t offset = 0, bytes = 0, entries = 0;
};

/// The offset of the last end record, which a comment or foreign bytes may follow; the size of the
/// file if there is none.
uint64_t find_end(std::span<const std::byte> file) {
  if (file.size() < kEndBytes) return file.size();
  const uint64_t last = file.size() - kEndBytes;
  const uint64_t first = last > kMaxComment ? last - kMaxComment : 0;
  for (uint64_t offset = last + 1; offset-- > first;) {
    if (at<uint32_t>(file, offset) == kEndSignature) return offset;
  }
  return file.size();
}

/// Checks a field that both end records have: the old one says the same, or "see the new one".
Status agree(uint64_t value32, uint64_t unknown, uint64_t value64, std::string_view what,
             uint64_t offset) {
  if (value32 == unknown || value32 == value64) return ok();
  return corrupt("the two end records disagree on " + std::string(what) + ": " +
                     std::to_string(value32) + " and " + std::to_string(value64),
                 offset);
}

Result<Directory> read_end(std::span<const std::byte> file) {
  const uint64_t end = find_end(file);
  if (end == file.size()) {
    return Error{ErrorCode::kCorrupt, "the zip archive has no end record", "",
                 "The file is probably cut short; fetch it again."};
  }
  const auto disk = at<uint16_t>(file, end + 4), directory_disk = at<uint16_t>(file, end + 6);
  const auto disk_entries = at<uint16_t>(file, end + 8);
  Directory directory{at<uint32_t>(file, end + 16), at<uint32_t>(file, end + 12),
                      at<uint16_t>(file, end + 10)};
  if (at<uint16_t>(file, end + 20) > file.size() - end - kEndBytes) {
    return corrupt("the comment of the end record passes the end of the file", end);
  }
  if (disk_entries != directory.entries || (disk != 0 && disk != 0xffff) ||
      (directory_disk != 0 && directory_disk != 0xffff)) {
    return corrupt("the end record speaks of several disks", end);
  }
  uint64_t directory_end = end;
  if (end >= kLocatorBytes && at<uint32_t>(file, end - kLocatorBytes) == kLocator64Signature) {
    const uint64_t locator = end - kLocatorBytes;
    const auto end64 = at<uint64_t>(file, locator + 8);
    if (at<uint32_t>(file, locator + 4) != 0 || at<uint32_t>(file, locator + 16) > 1) {
      return corrupt("the zip64 locator speaks of several disks", locator);
    }
    if (!has(file.first(locator), end64, kEnd64Bytes) ||
        at<uint32_t>(file, end64) != kEnd64Signature ||
        at<uint64_t>(file, end64 + 4) != locator - end64 - 12) {
      return corrupt("there is no zip64 end record at byte " + std::to_string(end64), locator);
    }
    const Directory wide{at<uint64_t>(file, end64 + 48), at<uint64_t>(file, end64 + 40),
                         at<uint64_t>(file, end64 + 32)};
    if (at<uint32_t>(file, end64 + 16) != 0 || at<uint32_t>(file, end64 + 20) != 0 ||
        at<uint64_t>(file, end64 + 24) != wide.entries) {
      return corrupt("the zip64 end record speaks of several disks", end64);
    }
    LAN_OK(agree(directory.entries, 0xffff, wide.entries, "the number of entries", end));
    LAN_OK(agree(directory.bytes, 0xffffffff, wide.bytes, "the size of the directory", end));
    LAN_OK(agree(directory.offset, 0xffffffff, wide.offset, "the offset of the directory", end));
    directory = wide;
    directory_end = end64;
  }
  if (directory.offset > directory_end || directory.bytes != directory_end - directory.offset) {
    return corrupt("the end record places " + std::to_string(directory.bytes) +
                       " bytes of central directory at byte " + std::to_string(directory.offset) +
                       ", but the end record itself is at byte " + std::to_string(directory_end),
                   end);
  }
  if (directory.entries > kMaxEntries) {
    return Error{ErrorCode::kLimit, "the archive has " + std::to_string(directory.entries) +
                                        " entries, more than " + std::to_string(kMaxEntries)};
  }
  if (directory.entries > directory.bytes / kCentralBytes) {
    return corrupt(std::to_string(directory.entries) + " entries do not fit into " +
                       std::to_string(directory.bytes) + " bytes of central directory",
                   end);
  }
  return directory;
}

Status check_name(std::string_view name, uint64_t offset) {
  if (name.empty() || name.size() > kMaxName) {
    return corrupt("an entry's name has " + std::to_string(name.size()) + " bytes", offset);
  }
  if (!is_utf8(name) || name.find('\0') != std::string_view::npos) {
    return corrupt("an entry's name is not UTF-8", offset);
  }
  if (name[0] == '/' || name[0] == '\\') {
    return corrupt("the name '" + std::string(name) + "' is absolute", offset);
  }
  for (size_t start = 0; start <= name.size();) {
    const size_t end = std::min(name.find_first_of("/\\", start), name.size());
    if (name.substr(start, end - start) == "..") {
      return corrupt("the name '" + std::string(name) + "' leaves its folder", offset);
    }
    start = end + 1;
  }
  return ok();
}

/// Takes the 64-bit values of fields that say 0xffffffff from the zip64 extra field, in its order.
Status widen(ZipEntry& entry, std::span<const std::byte> extra, uint64_t offset) {
  const std::array<uint64_t*, 3> fields = {&entry.bytes, &entry.compressed_bytes,
                                           &entry.local_header};
  const auto is_wide = [](const uint64_t* field) { return *field == 0xffffffff; };
  const auto wide = static_cast<size_t>(std::count_if(fields.begin(), fields.end(), is_wide));
  if (wide == 0) return ok();
  while (extra.size() >= 4) {
    const auto id = at<uint16_t>(extra, 0), length = at<uint16_t>(extra, 2);
    if (length > extra.size() - 4) break;
    if (id != kZip64Extra) {
      extra = extra.subspan(4 + length);
      continue;
    }
    if (length < 8 * wide) break;
    uint64_t position = 4;
    for (uint64_t* field : fields) {
      if (!is_wide(field)) continue;
      *field = at<uint64_t>(extra, position);
      position += 8;
    }
    return ok();
  }
  return corrupt("'" + entry.name + "' announces 64-bit sizes but has no room for them", offset);
}

/// Checks the local header against the central one and finds where the payload begins.
Status read_local(std::span<const std::byte> file, ZipEntry& entry, uint16_t flags,
                  uint64_t directory_offset) {
  const uint64_t start = entry.local_header;
  const auto before_directory = file.first(directory_offset);
  if (!has(before_directory, start, kLocalBytes) || at<uint32_t>(file, start) != kLocalSignature) {
    return corrupt("'" + entry.name + "' has no local header at the offset that the directory says",
                   start);
  }
  const auto name_bytes = at<uint16_t>(file, start + 26),
             extra_bytes = at<uint16_t>(file, start + 28);
  if (!has(before_directory, start + kLocalBytes, uint64_t{name_bytes} + extra_bytes)) {
    return corrupt("the local header of '" + entry.name + "' passes the central directory", start);
  }
  if (as_text(file.subspan(start + kLocalBytes, name_bytes)) != entry.name) {
    return corrupt("'" + entry.name + "' has another name in its local header", start);
  }
  const auto local_flags = at<uint16_t>(file, start + 6);
  if (at<uint16_t>(file, start + 8) != entry.method || ((local_flags ^ flags) & kEncrypted) != 0) {
    return corrupt("'" + entry.name + "' has another compression method in its local header",
                   start);
  }
  entry.payload = start + kLocalBytes + name_bytes + extra_bytes;
  if (!has(before_directory, entry.payload, entry.compressed_bytes)) {
    return corrupt("'" + entry.name + "' has " + std::to_string(entry.compressed_bytes) +
                       " bytes, which pass the central directory",
                   entry.payload);
  }
  if ((local_flags & kDescriptor) != 0) return ok();
  const auto local_compressed = at<uint32_t>(file, start + 18),
             local_bytes = at<uint32_t>(file, start + 22);
  if ((local_compressed != 0xffffffff && local_compressed != entry.compressed_bytes) ||
      (local_bytes != 0xffffffff && local_bytes != entry.bytes)) {
    return corrupt("'" + entry.name + "' has other sizes in its local header", start);
  }
  return ok();
}

Result<ZipEntry> read_entry(std::span<const std::byte> file, const Directory& directory,
                            uint64_t& offset) {
  const auto listed = file.first(directory.offset + directory.bytes);
  const uint64_t start = offset;
  if (!has(listed, start, kCentralBytes) || at<uint32_t>(file, start) != kCentralSignature) {
    return corrupt("the central directory has fewer entries than the end record says", start);
  }
  const auto name_bytes = at<uint16_t>(file, start + 28),
             extra_bytes = at<uint16_t>(file, start + 30);
  const auto comment_bytes = at<uint16_t>(file, start + 32), disk = at<uint16_t>(file, start + 34);
  const uint64_t variable = uint64_t{name_bytes} + extra_bytes + comment_bytes;
  if (!has(listed, start + kCentralBytes, variable)) {
    return corrupt("an entry passes the end of the central directory", start);
  }
  offset = start + kCentralBytes + variable;
  const auto flags = at<uint16_t>(file, start + 8);
  ZipEntry entry;
  entry.method = at<uint16_t>(file, start + 10);
  entry.crc32 = at<uint32_t>(file, start + 16);
  entry.compressed_bytes = at<uint32_t>(file, start + 20);
  entry.bytes = at<uint32_t>(file, start + 24);
  entry.local_header = at<uint32_t>(file, start + 42);
  entry.encrypted = (flags & (kEncrypted | kPatched | kStrong | kMasked)) != 0;
  entry.name = as_text(file.subspan(start + kCentralBytes, name_bytes));
  LAN_OK(check_name(entry.name, start));
  if (disk != 0 && disk != 0xffff) return corrupt("'" + entry.name + "' is on another disk", start);
  LAN_OK(widen(entry, file.subspan(start + kCentralBytes + name_bytes, extra_bytes), start));
  LAN_OK(read_local(file, entry, flags, directory.offset));
  if (entry.method == 0 && entry.bytes != entry.compressed_bytes && !entry.encrypted) {
    return corrupt("'" + entry.name + "' is stored, but its two sizes differ: " +
                       std::to_string(entry.compressed_bytes) + " and " +
                       std::to_string(entry.bytes),
                   start);
  }
  if (entry.method == 8 && entry.bytes / kMaxInflation > entry.compressed_bytes) {
    return corrupt("'" + entry.name + "' cannot inflate from " +
                       std::to_string(entry.compressed_bytes) + " to " +
                       std::to_string(entry.bytes) + " bytes",
                   start);
  }
  return entry;
}

Status check_overlaps(std::span<const ZipEntry> entries) {
  std::vector<const ZipEntry*> ordered;
  ordered.reserve(entries.size());
  for (const ZipEntry& entry : entries) ordered.push_back(&entry);
  std::sort(ordered.begin(), ordered.end(),
            [](const ZipEntry* a, const ZipEntry* b) { return a->local_header < b->local_header; });
  for (size_t i = 1; i < ordered.size(); ++i) {
    const ZipEntry& before = *ordered[i - 1];
    if (before.payload + before.compressed_bytes > ordered[i]->local_header) {
      return corrupt("'" + before.name + "' and '" + ordered[i]->name + "' share bytes",
                     ordered[i]->local_header);
    }
  }
  return ok();
}

Status inflate_into(std::span<const std::byte> source, std::span<std::byte> target) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    return Error{ErrorCode::kOutOfMemory, "there is no memory for decompression"};
  }
  constexpr uint64_t kPiece = uint64_t{1} << 30;
  uint64_t read = 0, written = 0;
  int state = Z_OK;
  std::byte beyond{};  // a full target still needs somewhere to show that there is more
  while (state == Z_OK) {
    const uint64_t room = target.size() - written;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(source.data() + read));
    stream.avail_in = static_cast<uInt>(std::min(source.size() - read, kPiece));
    stream.next_out = reinterpret_cast<Bytef*>(room > 0 ? target.data() + written : &beyond);
    stream.avail_out = static_cast<uInt>(room > 0 ? std::min(room, kPiece) : 1);
    const uInt offered_in = stream.avail_in, offered_out = stream.avail_out;
    state = inflate(&stream, Z_NO_FLUSH);
    read += offered_in - stream.avail_in;
    const uint64_t made = offered_out - stream.avail_out;
    if (made > room) {
      state = Z_DATA_ERROR;
    } else {
      written += made;
    }
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END || read != source.size() || written != target.size()) {
    return Error{ErrorCode::kCorrupt,
                 "the compressed bytes are damaged: " + std::to_string(written) + " of " +
                     std::to_string(target.size()) + " bytes could be restored"};
  }
  return ok();
}

/// `file` is the mapping that the bytes may be of; what was looked at of it is let go.
Status check_crc32(std::span<const std::byte> bytes, const ZipEntry& entry,
                   const MappedFile& file) {
  if (entry.crc32 == 0) return ok();
  uint32_t actual = 0;
  constexpr uint64_t kPiece = uint64_t{4} << 20;
  for (uint64_t done = 0; done < bytes.size(); done += kPiece) {
    const auto piece = bytes.subspan(done, std::min(kPiece, bytes.size() - done));
    if (bytes.size() > kPiece) file.prefetch(piece);
    actual = crc32(actual, piece);
    if (bytes.size() > kPiece) file.release(piece);
  }
  if (actual == entry.crc32) return ok();
  return Error{ErrorCode::kCorrupt,
               "the CRC does not fit: the bytes have changed since they were written",
               "'" + entry.name + "'", "Fetch the file again, or save it again from its source."};
}

Status require_readable(const ZipEntry& entry) {
  if (entry.encrypted) {
    return Error{ErrorCode::kUnsupported, "the entry is encrypted", "'" + entry.name + "'",
                 "Unpack the archive and save the model without a password."};
  }
  if (entry.method != 0 && entry.method != 8) {
    return Error{ErrorCode::kUnsupported,
                 "the entry is compressed by method " + std::to_string(entry.method) +
                     "; only stored and deflated entries can be read",
                 "'" + entry.name + "'"};
  }
  return ok();
}

}  // namespace

Result<ZipArchive> ZipArchive::open(std::shared_ptr<const MappedFile> file) {
  const auto bytes = file->bytes();
  LAN_TRY(const Directory directory, read_end(bytes));
  ZipArchive archive;
  archive.entries_.reserve(directory.entries);
  uint64_t offset = directory.offset;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    LAN_TRY(ZipEntry entry, read_entry(bytes, directory, offset));
    archive.entries_.push_back(std::move(entry));
  }
  if (offset != directory.offset + directory.bytes) {
    return corrupt("the central directory has more entries than the " +
                       std::to_string(directory.entries) + " that the end record says",
                   offset);
  }
  LAN_OK(check_overlaps(archive.entries_));
  const auto& entries = archive.entries_;
  auto& order = archive.by_name_;
  order.resize(entries.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return entries[a].name < entries[b].name; });
  for (size_t i = 1; i < order.size(); ++i) {
    if (entries[order[i]].name == entries[order[i - 1]].name) {
      return corrupt("the archive has two entries named '" + entries[order[i]].name + "'",
                     entries[order[i]].local_header);
    }
  }
  archive.file_ = std::move(file);
  return archive;
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto found = std::lower_bound(
      by_name_.begin(), by_name_.end(), name,
      [&](uint32_t index, std::string_view wanted) { return entries_[index].name < wanted; });
  if (found == by_name_.end() || entries_[*found].name != name) return nullptr;
  return &entries_[*found];
}

Status ZipArchive::check_case() const {
  std::vector<std::string> names;
  names.reserve(entries_.size());
  for (const ZipEntry& entry : entries_) {
    names.push_back(entry.name);
    for (char& c : names.back()) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return ok();
  return Error{ErrorCode::kCorrupt,
               "the archive has two entries whose names differ only in case: '" + *twice + "'"};
}

Result<std::span<const std::byte>> ZipArchive::stored(const ZipEntry& entry, bool check_crc) const {
  LAN_OK(require_readable(entry));
  if (entry.method != 0) {
    return Error{ErrorCode::kUnsupported, "the entry is compressed and cannot be mapped",
                 "'" + entry.name + "'"};
  }
  const auto bytes = file_->bytes().subspan(entry.payload, entry.bytes);
  if (check_crc) LAN_OK(check_crc32(bytes, entry, *file_));
  return bytes;
}

Result<ZipArchive::Bytes> ZipArchive::read(const ZipEntry& entry, uint64_t limit,
                                           bool check_crc) const {
  LAN_OK(require_readable(entry));
  if (entry.method == 0) {
    LAN_TRY(const auto bytes, stored(entry, check_crc));
    return Bytes{bytes, file_};
  }
  if (entry.bytes > limit) {
    return Error{ErrorCode::kLimit,
                 "the entry inflates to " + std::to_string(entry.bytes) + " bytes, more than " +
                     std::to_string(limit),
                 "'" + entry.name + "'"};
  }
  // Aligned as mapped tensors are.
  constexpr std::align_val_t kAlign{64};
  void* memory = ::operator new(std::max<uint64_t>(entry.bytes, 1), kAlign, std::nothrow);
  if (memory == nullptr) {
    return Error{ErrorCode::kOutOfMemory,
                 "there is no memory for " + std::to_string(entry.bytes) + " bytes",
                 "'" + entry.name + "'"};
  }
  auto owner = std::shared_ptr<void>(memory, [](void* p) { ::operator delete(p, kAlign); });
  const std::span target(static_cast<std::byte*>(memory), entry.bytes);
  auto inflated =
      inflate_into(file_->bytes().subspan(entry.payload, entry.compressed_bytes), target);
  if (!inflated) return std::move(inflated).error().at("'" + entry.name + "'");
  if (check_crc) LAN_OK(check_crc32(target, entry, *file_));
  return Bytes{target, std::move(owner)};
}

bool looks_like_zip(std::span<const std::byte> bytes) {
  return bytes.size() >= kEndBytes &&
         (at<uint32_t>(bytes, 0) == kLocalSignature || at<uint32_t>(bytes, 0) == kEndSignature);
}

bool ends_like_zip(std::span<const std::byte> bytes) {
  const uint64_t end = find_end(bytes);
  if (end == bytes.size()) return false;
  const auto directory = at<uint32_t>(bytes, end + 12);
  if (directory == 0xffffffff) return true;
  return directory >= kCentralBytes && directory <= end &&
         at<uint32_t>(bytes, end - directory) == kCentralSignature;
}

std::vector<std::string_view> list_zip_names(std::span<const std::byte> bytes) {
  std::vector<std::string_view> names;
  if (!looks_like_zip(bytes)) return names;
  const auto directory = read_end(bytes);
  if (!directory) return names;
  const auto listed = bytes.first(directory->offset + directory->bytes);
  uint64_t offset = directory->offset;
  while (has(listed, offset, kCentralBytes) && at<uint32_t>(listed, offset) == kCentralSignature) {
    const auto name_bytes = at<uint16_t>(listed, offset + 28);
    if (!has(listed, offset + kCentralBytes, name_bytes)) break;
    names.push_back(as_text(listed.subspan(offset + kCentralBytes, name_bytes)));
    offset += kCentralBytes + name_bytes + at<uint16_t>(listed, offset + 30) +
              at<uint16_t>(listed, offset + 32);
  }
  return names;
}

}  // namespace lanthorn
