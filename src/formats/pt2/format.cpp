// Archives of torch.export.save: their tensors. The program in them is not read.
#include "formats/format.h"

#include "codec/byte_reader.h"
#include "codec/zip.h"
#include "formats/named_tensors.h"
#include "formats/pt2/weights.h"
#include "formats/torch/archive.h"

namespace lanthorn {
namespace {

bool matches(std::span<const std::byte> bytes) {
  return looks_like_zip(bytes) && torch_archive_kind(bytes) == TorchArchiveKind::kExport;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text.substr(0, 40));
}

/// PyTorch 2.1 to 2.7: files of torch.save at the top of the archive.
Result<FileContents> read_flat(const std::shared_ptr<const MappedFile>& file,
                               const ReadLimits& limits) {
  LAN_TRY(const ZipArchive archive, ZipArchive::open(file));
  FileContents contents;
  std::vector<NamedTensor> tensors;
  for (const char* name : {"serialized_state_dict.pt", "serialized_state_dict.json",
                           "serialized_constants.pt", "serialized_constants.json"}) {
    const ZipEntry* entry = archive.find(name);
    if (entry == nullptr || entry->bytes == 0) continue;
    LAN_TRY(const auto content, archive.read(*entry, limits.max_memory_bytes));
    if (entry->bytes > limits.max_memory_bytes) {
      return Error{ErrorCode::kLimit, "the weights are a file of their own that is too large to be "
                                      "copied out of the archive",
                   name, "Raise the limit with --max-memory."};
    }
    const auto inner = MappedFile::of(content.bytes);
    LAN_TRY(const Format* format, detect_format(inner->bytes()));
    if (format->read == nullptr || matches(inner->bytes())) continue;
    auto part = format->read(inner, limits);
    if (!part) return std::move(part).error().at(name);
    for (const NamedTensor& tensor : part->tensors.entries()) tensors.push_back(tensor);
    contents.quantizers.merge(part->quantizers);
  }
  if (const ZipEntry* version = archive.find("version")) {
    LAN_TRY(const auto content, archive.read(*version, 4096));
    contents.format_version = trimmed(as_text(content.bytes));
  }
  LAN_TRY(contents.tensors, make_state_dict(std::move(tensors)));
  return contents;
}

Result<FileContents> read_archive(const std::shared_ptr<const MappedFile>& file,
                                  const ReadLimits& limits) {
  LAN_TRY(const TorchArchive archive, TorchArchive::open(file));
  if (archive.big_endian()) {
    return Error{ErrorCode::kUnsupported, "the archive is of a big-endian machine"};
  }
  FileContents contents;
  if (archive.has("archive_version")) {
    LAN_TRY(const auto content, archive.read("archive_version", 4096));
    contents.format_version = trimmed(as_text(content.bytes));
  }
  contents.producer = "pytorch >= 2.8";
  LAN_TRY(auto tensors, read_export_tensors(archive, "data/weights/", "_weights_config.json", limits,
                                            contents.notes));
  LAN_TRY(auto constants, read_export_tensors(archive, "data/constants/", "_constants_config.json",
                                              limits, contents.notes));
  // Buffers that are not saved with a state_dict are constants under their own names.
  for (NamedTensor& constant : constants) tensors.push_back(std::move(constant));
  LAN_TRY(contents.tensors, make_state_dict(std::move(tensors)));
  return contents;
}

Result<FileContents> read(const std::shared_ptr<const MappedFile>& file, const ReadLimits& limits) {
  bool flat = false;
  for (const std::string_view name : list_zip_names(file->bytes())) {
    flat = flat || name == "serialized_exported_program.json";
  }
  LAN_TRY(FileContents contents, flat ? read_flat(file, limits) : read_archive(file, limits));
  contents.format = "pt2";
  contents.notes.push_back("the program of the archive is not read, its tensors are");
  return contents;
}

}  // namespace

extern const Format format_pt2;
const Format format_pt2{"pt2", "tensors of torch.export.save of PyTorch 2.1 to 2.13", matches, read};

}  // namespace lanthorn
