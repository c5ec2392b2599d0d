#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/zip.h"
#include "formats/torch/storage_source.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// The zip container of PyTorch (caffe2/serialize/inline_container): every record in one top
/// folder, a version, a byte order. torch.save, torch.jit.save and others write it. Names are
/// looked up without regard to ASCII case, as PyTorch does.
class TorchArchive {
 public:
  /// Checks names and version. kCorrupt; kUnsupported for a newer version.
  static Result<TorchArchive> open(std::shared_ptr<const MappedFile> file);
  TorchArchive(TorchArchive&&) = default;
  TorchArchive(const TorchArchive&) = delete;

  const ZipArchive& zip() const { return zip_; }
  const std::string& prefix() const { return prefix_; }  // without the slash
  int version() const { return version_; }               // 0 where the record is missing
  bool big_endian() const { return big_endian_; }
  /// The entry of a record, "data.pkl"; null if there is none.
  const ZipEntry* find(std::string_view record) const;
  bool has(std::string_view record) const { return find(record) != nullptr; }
  /// A record's bytes, with its CRC checked. kCorrupt if it is missing.
  Result<ZipArchive::Bytes> read(std::string_view record, uint64_t limit) const;
  /// Which PyTorch wrote it, as well as the records tell: "pytorch >= 2.7".
  std::string producer() const;

 private:
  explicit TorchArchive(ZipArchive zip) : zip_(std::move(zip)) {}

  ZipArchive zip_;
  std::string prefix_;
  std::map<std::string, const ZipEntry*, std::less<>> by_lower_name_;  // of records in the prefix
  int version_ = 0;
  bool big_endian_ = false;
};

/// The storages of a folder of the archive ("data", "constants"), mapped where they are stored.
class ArchiveStorages : public StorageSource {
 public:
  /// `limit` bounds the bytes of compressed storages.
  ArchiveStorages(const TorchArchive& archive, std::string folder, uint64_t limit, bool check_crc)
      : archive_(archive), folder_(std::move(folder)), limit_(limit), check_crc_(check_crc) {}

  Result<StorageView> find(const StorageId& id) override;
  /// True if a record was longer than its storage.
  bool has_long_records() const { return has_long_records_; }

 private:
  const TorchArchive& archive_;
  std::string folder_;
  uint64_t limit_;
  bool check_crc_;
  bool has_long_records_ = false;
  std::map<std::string, StorageView, std::less<>> known_;
};

/// What the names of a zip file's records say that it is.
enum class TorchArchiveKind : uint8_t { kNone, kPickle, kTorchScript, kMobile, kExport, kPackage };
TorchArchiveKind torch_archive_kind(std::span<const std::byte> bytes);

}  // namespace lanthorn
