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

/// The objects of one pickle of the archive, whose tensors lie in `folder`.
Result<ObjectTree> read_objects(const TorchArchive& archive, const std::string& record,
                                const std::string& folder, const ReadLimits& limits,
                                FileContents& contents) {
  LAN_TRY(const auto pickle, archive.read(record, limits.max_memory_bytes));
  auto tree = read_pickle(pickle.bytes, pickle_limits(limits));
  if (!tree) return std::move(tree).error().at(record);
  mark_harmless_uses(*tree);
  ArchiveStorages storages(archive, folder,
                           inflated_limit(limits, archive.zip().file()->bytes().size()),
                           limits.check_crc);
  ObjectBuilder builder(*tree, storages, pickle.owner, limits.max_memory_bytes);
  auto objects = builder.build();
  if (!objects) return std::move(objects).error().at(record);
  for (std::string& note : builder.take_notes()) contents.notes.push_back(std::move(note));
  for (std::string& note : hazard_notes(tree->globals, record)) {
    contents.notes.push_back(std::move(note));
  }
  return objects;
}

/// The place of a text key's value in the table of a function, ((key, value), ...).
ObjectId entry_of(const ObjectTree& tree, ObjectId table, std::string_view key) {
  for (const ObjectId pair : tree[table].items) {
    const auto& items = tree[pair].items;
    if (items.size() == 2 && tree[items[0]].text == key) return items[1];
  }
  return kNoObject;
}

void add_items(const ObjectTree& tree, ObjectId list, const std::string& prefix,
               std::vector<FlatTensor>& tensors) {
  const auto& items = tree[list].items;
  for (size_t i = 0; i < items.size(); ++i) {
    if (tree[items[i]].kind != Object::Kind::kTensor) continue;
    tensors.push_back(
        {prefix + std::to_string(i), tree[items[i]].tensor, quantizer_of(tree, items[i])});
  }
}

/// torch.jit.freeze, which optimize_for_mobile begins with, makes constants of a module's weights
/// and takes its "training". They are named as in the full archive that most mobile archives are
/// too, else by the function that has them.
Result<std::vector<FlatTensor>> read_constants(const TorchArchive& archive,
                                               const ReadLimits& limits, FileContents& contents) {
  std::vector<FlatTensor> tensors;
  if (archive.has("constants.pkl")) {
    LAN_TRY(const ObjectTree tree,
            read_objects(archive, "constants.pkl", "constants", limits, contents));
    add_items(tree, tree.root, "CONSTANTS.c", tensors);
    return tensors;
  }
  LAN_TRY(const ObjectTree tree,
          read_objects(archive, "bytecode.pkl", "constants", limits, contents));
  for (const ObjectId function : tree[tree.root].items) {
    const auto& parts = tree[function].items;
    if (parts.size() < 2) continue;
    const ObjectId constants = entry_of(tree, parts[1], "constants");
    const std::string& name = tree[parts[0]].text;
    if (constants == kNoObject) continue;
    add_items(tree, constants, name.substr(name.rfind('.') + 1) + ".CONSTANTS.c", tensors);
  }
  return tensors;
}

bool is_frozen(const ObjectTree& tree) {
  const ObjectId state = tree[tree.root].state;
  return state == kNoObject || tree.find(state, "training") == kNoObject;
}

Result<FileContents> read(const std::shared_ptr<const MappedFile>& file, const ReadLimits& limits) {
  LAN_TRY(const TorchArchive archive, TorchArchive::open(file));
  FileContents contents;
  LAN_TRY(const ObjectTree objects, read_objects(archive, "data.pkl", "data", limits, contents));
  contents.format = "mobile";
  contents.format_version = archive.version() > 0 ? std::to_string(archive.version()) : "";
  contents.producer = archive.producer();
  LAN_TRY(std::vector<FlatTensor> flat, flat_tensors(objects));
  if (is_frozen(objects)) {
    LAN_TRY(std::vector<FlatTensor> constants, read_constants(archive, limits, contents));
    for (FlatTensor& constant : constants) flat.push_back(std::move(constant));
  }
  LAN_TRY(NamedTensors named, named_tensors(std::move(flat)));
  contents.tensors = std::move(named.tensors);
  contents.quantizers = std::move(named.quantizers);
  contents.notes.push_back("the bytecode of the archive is not read, its tensors are");
  return contents;
}

}  // namespace

extern const Format format_mobile;
const Format format_mobile{"mobile", "tensors of the lite interpreter's .ptl", matches, read};

}  // namespace lanthorn
