// Archives of the lite interpreter (.ptl): their tensors. The bytecode in them is not read.
#include "formats/format.h"

#include "codec/pickle.h"
#include "codec/zip.h"
#include "formats/flat_tensors.h"
#include "formats/torch/archive.h"
#include "formats/torch/globals.h"
#include "formats/torch/legacy.h"
#include "formats/torch/object_builder.h"

namespace lanthorn {
namespace {

bool matches(std::span<const std::byte> bytes) {
  return looks_like_zip(bytes) && torch_archive_kind(bytes) == TorchArchiveKind::kMobile;
}

Result<FileContents> read(const std::shared_ptr<const MappedFile>& file, const ReadLimits& limits) {
  LAN_TRY(const TorchArchive archive, TorchArchive::open(file));
  LAN_TRY(const auto pickle, archive.read("data.pkl", limits.max_memory_bytes));
  auto tree = read_pickle(pickle.bytes, pickle_limits(limits));
  if (!tree) return std::move(tree).error().at("data.pkl");
  mark_harmless_uses(*tree);
  ArchiveStorages storages(archive, "data", inflated_limit(limits, file->bytes().size()),
                           limits.check_crc);
  ObjectBuilder builder(*tree, storages, pickle.owner, limits.max_memory_bytes);
  auto objects = builder.build();
  if (!objects) return std::move(objects).error().at("data.pkl");
  FileContents contents;
  contents.format = "mobile";
  contents.format_version = archive.version() > 0 ? std::to_string(archive.version()) : "";
  contents.producer = archive.producer();
  LAN_TRY(auto flat, flat_tensors(*objects));
  LAN_TRY(NamedTensors named, named_tensors(std::move(flat)));
  contents.tensors = std::move(named.tensors);
  contents.quantizers = std::move(named.quantizers);
  contents.notes = builder.take_notes();
  for (std::string& note : hazard_notes(tree->globals, "data.pkl")) {
    contents.notes.push_back(std::move(note));
  }
  contents.notes.push_back("the bytecode of the archive is not read, its tensors are");
  return contents;
}

}  // namespace

extern const Format format_mobile;
const Format format_mobile{"mobile", "tensors of the lite interpreter's .ptl", matches, read};

}  // namespace lanthorn
