#include "formats/torch/archive.h"

#include <algorithm>
#include <charconv>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

constexpr int kNewestVersion = 10;  // caffe2/serialize/versions.h: kMaxSupportedFileFormatVersion

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// As std::stoull reads it: digits, and whatever follows them.
Result<int> parse_version(std::string_view text) {
  const size_t start = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  uint64_t value = 0;
  const auto parsed = std::from_chars(text.data() + start, text.data() + text.size(), value);
  if (parsed.ec != std::errc() || value == 0 || value > 1000) {
    return Error{ErrorCode::kCorrupt, "the version of the archive is no version: '" +
                                          std::string(text.substr(0, 40)) + "'"};
  }
  if (value > kNewestVersion) {
    return Error{ErrorCode::kUnsupported, "the archive has version " + std::to_string(value) +
                                              ", newer than " + std::to_string(kNewestVersion)};
  }
  return static_cast<int>(value);
}

}  // namespace

Result<TorchArchive> TorchArchive::open(std::shared_ptr<const MappedFile> file) {
  LAN_TRY(ZipArchive zip, ZipArchive::open(std::move(file)));
  LAN_OK(zip.check_case());
  TorchArchive archive(std::move(zip));
  const auto entries = archive.zip_.entries();
  if (entries.empty()) return Error{ErrorCode::kCorrupt, "the archive is empty"};
  const size_t slash = entries[0].name.find('/');
  if (slash == std::string::npos) {
    return Error{ErrorCode::kCorrupt,
                 "the first entry of the archive, '" + entries[0].name + "', is in no folder"};
  }
  archive.prefix_ = entries[0].name.substr(0, slash);
  const std::string start = lower(archive.prefix_) + "/";
  for (const ZipEntry& entry : entries) {
    std::string name = lower(entry.name);
    if (!name.starts_with(start)) {
      return Error{ErrorCode::kCorrupt, "the entry '" + entry.name +
                                            "' is not in the archive's folder '" + archive.prefix_ +
                                            "'"};
    }
    archive.by_lower_name_.emplace(name.substr(start.size()), &entry);
  }
  for (const char* record : {".data/version", "version"}) {
    if (!archive.has(record)) continue;
    LAN_TRY(const auto content, archive.read(record, 4096));
    LAN_TRY(archive.version_, parse_version(as_text(content.bytes)));
    break;
  }
  if (archive.has("byteorder")) {
    LAN_TRY(const auto content, archive.read("byteorder", 4096));
    const auto order = as_text(content.bytes);
    if (order != "little" && order != "big") {
      return Error{ErrorCode::kCorrupt,
                   "the byte order of the archive is '" + std::string(order.substr(0, 40)) + "'"};
    }
    archive.big_endian_ = order == "big";
  }
  return archive;
}

const ZipEntry* TorchArchive::find(std::string_view record) const {
  const auto found = by_lower_name_.find(lower(record));
  return found == by_lower_name_.end() ? nullptr : found->second;
}

Result<ZipArchive::Bytes> TorchArchive::read(std::string_view record, uint64_t limit) const {
  const ZipEntry* entry = find(record);
  if (entry == nullptr) {
    return Error{ErrorCode::kCorrupt, "the archive has no record '" + std::string(record) + "'"};
  }
  return zip_.read(*entry, limit);
}

std::string TorchArchive::producer() const {
  if (has(".format_version") || has(".storage_alignment")) return "pytorch >= 2.7";
  if (has(".data/serialization_id") || has("byteorder")) return "pytorch >= 2.1";
  return "pytorch >= 1.4";
}

Result<StorageView> ArchiveStorages::find(const StorageId& id) {
  if (const auto known = known_.find(id.key); known != known_.end()) {
    if (known->second.bytes == id.bytes) {
      StorageView view = known->second;
      view.dtype = id.dtype;
      return view;
    }
    return Error{ErrorCode::kCorrupt,
                 "storage '" + id.key + "' has two sizes: " + std::to_string(known->second.bytes) +
                     " and " + std::to_string(id.bytes) + " bytes"};
  }
  const std::string record = folder_ + "/" + id.key;
  const ZipEntry* entry = archive_.find(record);
  StorageView view{nullptr, 0, id.bytes, id.dtype, archive_.big_endian()};
  if (entry == nullptr) {
    if (id.bytes > 0) {
      return Error{ErrorCode::kCorrupt, "the archive has no record '" + record + "'", "",
                   "The weights are missing; fetch the file again."};
    }
    view.storage = Storage::wrap({}, nullptr);
  } else {
    if (entry->bytes < id.bytes) {
      return Error{ErrorCode::kCorrupt, "the storage needs " + std::to_string(id.bytes) +
                                            " bytes, but the record '" + record + "' has " +
                                            std::to_string(entry->bytes)};
    }
    has_long_records_ = has_long_records_ || entry->bytes > id.bytes;
    LAN_TRY(const auto content,
            archive_.zip().read(*entry, limit_, check_crc_ || entry->method != 0));
    if (entry->method != 0) limit_ -= entry->bytes;
    view.storage = Storage::wrap(content.bytes.first(id.bytes), content.owner);
  }
  known_.emplace(id.key, view);
  return view;
}

TorchArchiveKind torch_archive_kind(std::span<const std::byte> bytes) {
  const auto names = list_zip_names(bytes);
  if (names.empty()) return TorchArchiveKind::kNone;
  const std::string prefix = lower(names[0].substr(0, names[0].find('/') + 1));
  bool pickle = false, constants = false, bytecode = false, package = false, model = false;
  for (const std::string_view name : names) {
    const std::string low = lower(name);
    if (low == "serialized_exported_program.json") return TorchArchiveKind::kExport;
    if (!low.starts_with(prefix)) continue;
    const std::string_view record = std::string_view(low).substr(prefix.size());
    if (record == "archive_format") return TorchArchiveKind::kExport;
    pickle = pickle || record == "data.pkl";
    constants = constants || record == "constants.pkl";
    bytecode = bytecode || record == "bytecode.pkl";
    model = model || record == "model.json";
    package = package || record == ".data/extern_modules";
  }
  if (bytecode) return TorchArchiveKind::kMobile;
  if (constants || model) return TorchArchiveKind::kTorchScript;
  if (pickle) return TorchArchiveKind::kPickle;
  return package ? TorchArchiveKind::kPackage : TorchArchiveKind::kNone;
}

}  // namespace lanthorn
