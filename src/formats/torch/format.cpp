#include "formats/format.h"

#include <algorithm>

#include "codec/pickle.h"
#include "codec/zip.h"
#include "formats/flat_tensors.h"
#include "formats/torch/archive.h"
#include "formats/torch/globals.h"
#include "formats/torch/joblib.h"
#include "formats/torch/legacy.h"
#include "formats/torch/object_builder.h"
#include "formats/torch/object_text.h"
#include "formats/torch/tar.h"

namespace lanthorn {
namespace {

/// A pickle that stands alone: by its protocol byte, or a whole one of protocol 0 or 1.
bool looks_like_pickle(std::span<const std::byte> bytes) {
  if (bytes.size() < 2) return false;
  const auto first = static_cast<uint8_t>(bytes[0]), second = static_cast<uint8_t>(bytes[1]);
  if (first == 0x80) return second <= 5 && bytes.size() > 2 && bytes[2] != std::byte{0};
  if (first != '(' && first != 'c' && first != ']' && first != '}') return false;
  const auto scan = scan_pickle(bytes, {.max_nodes = 4096, .max_bytes = 1 << 20});
  return !scan.error || scan.error->code == ErrorCode::kLimit;
}

bool matches(std::span<const std::byte> bytes) {
  if (looks_like_zip(bytes)) return torch_archive_kind(bytes) == TorchArchiveKind::kPickle;
  return looks_like_legacy(bytes) || looks_like_torch_tar(bytes) || looks_like_pickle(bytes);
}

/// What a checkpoint says of how it was made, under the names that people give it.
void add_training_metadata(const ObjectTree& tree,
                           std::vector<std::pair<std::string, std::string>>& metadata) {
  constexpr std::string_view kKeys[] = {"pytorch_version", "training_date", "producer",
                                        "git_commit",      "model_config",  "epoch",
                                        "loss",            "metrics"};
  constexpr size_t kMostBytes = 1000;
  for (const std::string_view key : kKeys) {
    const ObjectId id = tree.find(tree.root, key);
    if (id == kNoObject) continue;
    using Kind = Object::Kind;
    const Kind kind = tree[id].kind;
    if (kind == Kind::kTensor || kind == Kind::kInstance || kind == Kind::kNone) continue;
    const bool text = kind == Kind::kString;
    metadata.emplace_back(key, text ? tree[id].text.substr(0, kMostBytes)
                                    : object_text(tree, id, kMostBytes));
  }
}

/// Builds objects and names, the last steps of all kinds of file.
Status finish(const PickleTree& tree, StorageSource& source, std::shared_ptr<const void> owner,
              const ReadLimits& limits, std::string_view member,
              const std::vector<PickleGlobal>& globals, FileContents& contents) {
  ObjectBuilder builder(tree, source, std::move(owner), limits.max_memory_bytes);
  auto objects = builder.build();
  if (!objects) return std::move(objects).error().at(member);
  LAN_TRY(auto flat, flat_tensors(*objects));
  LAN_TRY(NamedTensors named, named_tensors(std::move(flat)));
  contents.tensors = std::move(named.tensors);
  contents.quantizers = std::move(named.quantizers);
  contents.objects = std::make_shared<const ObjectTree>(*std::move(objects));
  for (std::string& note : builder.take_notes()) contents.notes.push_back(std::move(note));
  for (std::string& note : hazard_notes(globals, member)) contents.notes.push_back(std::move(note));
  contents.metadata.emplace_back("pickle protocol", std::to_string(tree.protocol));
  add_training_metadata(*contents.objects, contents.metadata);
  return ok();
}

Result<FileContents> read_archive(const std::shared_ptr<const MappedFile>& file,
                                  const ReadLimits& limits) {
  LAN_TRY(const TorchArchive archive, TorchArchive::open(file));
  FileContents contents;
  contents.format = "torch";
  contents.format_version = archive.version() > 0 ? std::to_string(archive.version()) : "";
  contents.producer = archive.producer();
  if (archive.version() == 0)
    contents.notes.push_back("the archive has no version record, which PyTorch asks for");
  if (archive.has("byteorder")) {
    contents.metadata.emplace_back("byte order", archive.big_endian() ? "big" : "little");
  }
  LAN_TRY(const auto pickle, archive.read("data.pkl", limits.max_memory_bytes));
  auto tree = read_pickle(pickle.bytes, pickle_limits(limits));
  if (!tree) return std::move(tree).error().at("data.pkl");
  mark_harmless_uses(*tree);
  if (tree->bytes_read < pickle.bytes.size()) {
    contents.notes.push_back("data.pkl has " +
                             std::to_string(pickle.bytes.size() - tree->bytes_read) +
                             " bytes after its end, which were ignored");
  }
  ArchiveStorages storages(archive, "data", inflated_limit(limits, file->bytes().size()),
                           limits.check_crc);
  LAN_OK(finish(*tree, storages, pickle.owner, limits, "data.pkl", tree->globals, contents));
  if (storages.has_long_records()) {
    contents.notes.push_back(
        "records of storages are longer than the storages; the rest was ignored");
  }
  return contents;
}

Result<FileContents> read_stream(const std::shared_ptr<const MappedFile>& file,
                                 const ReadLimits& limits) {
  LAN_TRY(LegacyFile legacy, read_legacy(file->bytes(), file, pickle_limits(limits)));
  FileContents contents;
  contents.format = "torch-legacy";
  contents.format_version = "1001";
  contents.producer = "pytorch";
  LAN_OK(
      finish(legacy.object, legacy.storages, file, limits, "the stream", legacy.globals, contents));
  return contents;
}

Result<FileContents> read_tar(const std::shared_ptr<const MappedFile>& file,
                              const ReadLimits& limits) {
  LAN_TRY(TarFile tar, read_torch_tar(file->bytes(), file, pickle_limits(limits)));
  FileContents contents;
  contents.format = "torch-legacy";
  contents.format_version = "tar";
  contents.producer = "pytorch 0.1";
  LAN_OK(finish(tar.object, tar.tensors, file, limits, "the archive", tar.globals, contents));
  return contents;
}

/// An array of objects is a pickle in the middle of joblib's stream, with a STOP of its own.
Status check_joblib(const PickleTree& tree) {
  for (PickleId id = 0; id < tree.nodes.size(); ++id) {
    const auto array = joblib_array(tree, id, tree[id].view);
    if (!array || !array->objects) continue;
    return Error{ErrorCode::kUnsupported,
                 "the file is one of joblib's and has an array of Python objects, which only running "
                 "it could make",
                 "byte " + std::to_string(tree[id].offset),
                 "Save its numbers as .npz, or the model as ONNX (skl2onnx)."};
  }
  return ok();
}

/// pickle.dump of tensors: each storage is a whole stream inside the pickle. joblib.dump of arrays.
Result<FileContents> read_plain(const std::shared_ptr<const MappedFile>& file,
                                const ReadLimits& limits) {
  PickleLimits pickle = pickle_limits(limits);
  pickle.inline_bytes = joblib_bytes;
  LAN_TRY(PickleTree tree, read_pickle(file->bytes(), pickle));
  LAN_OK(check_joblib(tree));
  mark_harmless_uses(tree);
  FileContents contents;
  contents.format = "torch";
  contents.format_version = "pickle";
  StreamStorages none;
  LAN_OK(finish(tree, none, file, limits, "the pickle", tree.globals, contents));
  const Object& root = (*contents.objects)[contents.objects->root];
  if (root.kind == Object::Kind::kInstance) contents.metadata.emplace_back("class", root.text);
  if (tree.bytes_read < file->bytes().size()) {
    contents.notes.push_back(std::to_string(file->bytes().size() - tree.bytes_read) +
                             " bytes after the end of the pickle were ignored");
  }
  return contents;
}

Result<FileContents> read(const std::shared_ptr<const MappedFile>& file, const ReadLimits& limits) {
  const auto bytes = file->bytes();
  if (looks_like_zip(bytes)) return read_archive(file, limits);
  if (looks_like_legacy(bytes)) return read_stream(file, limits);
  if (looks_like_torch_tar(bytes)) return read_tar(file, limits);
  return read_plain(file, limits);
}

}  // namespace

extern const Format format_torch;
const Format format_torch{
    .name = "torch",
    .versions = "torch.save of PyTorch 0.1 to 2.13: zip, stream and tar; pickles of protocol 0 to 5",
    .matches = matches,
    .read = read,
    .written = "the zip form of PyTorch 2.13, and torch-legacy, the stream of before 1.6"};

}  // namespace lanthorn
