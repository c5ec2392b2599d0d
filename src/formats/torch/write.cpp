#include "formats/torch/write.h"

#include <algorithm>
#include <set>

#include "codec/byte_reader.h"
#include "formats/shards.h"
#include "formats/torch/archive_writer.h"
#include "formats/torch/object_pickler.h"
#include "formats/torch/plain_tree.h"

namespace lanthorn {
namespace {

std::span<const std::byte> as_little(const uint64_t& number) {
  return std::as_bytes(std::span(&number, 1));
}

Status write_zip(OutputFile& file, const std::string& prefix, const std::string& pickle,
                 const StorageTable& storages) {
  TorchArchiveWriter archive(file, prefix);
  LAN_OK(archive.add("data.pkl", as_bytes(pickle)));
  LAN_OK(archive.add(".format_version", as_bytes("1")));
  LAN_OK(archive.add(".storage_alignment", as_bytes("64")));
  LAN_OK(archive.add("byteorder", as_bytes("little")));
  for (size_t i = 0; i < storages.size(); ++i) {
    LAN_OK(archive.begin("data/" + storage_key(i), storages.bytes(i)));
    uint32_t crc = 0;
    LAN_OK(storages.write(i, file, &crc));
    LAN_OK(archive.end(crc));
  }
  return archive.finish();
}

/// The pickle of a tree without tensors.
Result<std::string> plain_pickle(const ObjectTree& tree) {
  const WriteOptions options;
  StorageTable storages(options);
  return ObjectPickler(tree, storages, TorchForm::kLegacy).pickle();
}

/// The three pickles that begin the stream: a magic number, a version, the machine.
Result<std::string> stream_start() {
  constexpr int64_t kVersion = 1001;
  Object number;
  number.kind = Object::Kind::kBigInt;
  number.text = "119547037146038801333356";
  ObjectTree magic, version;
  magic.root = magic.add(std::move(number));
  version.root = version.add(PlainValue(kVersion));
  const PlainEntry facts[] = {{"protocol_version", kVersion}, {"little_endian", true}};
  const PlainEntry sizes[] = {{"short", int64_t{2}}, {"int", int64_t{4}}, {"long", int64_t{4}}};
  ObjectTree machine = ObjectTree::dict_of(facts);
  const ObjectTree type_sizes = ObjectTree::dict_of(sizes);
  machine.set(machine.root, "type_sizes", machine.graft(type_sizes, type_sizes.root));
  std::string start;
  for (const ObjectTree* tree : {&magic, &version, &machine}) {
    LAN_TRY(const std::string pickle, plain_pickle(*tree));
    start += pickle;
  }
  return start;
}

Status write_stream(OutputFile& file, const std::string& pickle, const StorageTable& storages) {
  std::vector<std::pair<std::string, size_t>> keys;
  for (size_t i = 0; i < storages.size(); ++i) keys.emplace_back(storage_key(i), i);
  std::sort(keys.begin(), keys.end());
  ObjectTree list;
  list.root = list.add_list({});
  for (const auto& [key, index] : keys) {
    const ObjectId item = list.add(PlainValue(key));
    list.nodes[list.root].items.push_back(item);
  }
  LAN_TRY(const std::string start, stream_start());
  LAN_TRY(const std::string key_list, plain_pickle(list));
  for (const std::string* part : {&start, &pickle, &key_list}) LAN_OK(file.write(as_bytes(*part)));
  for (const auto& [key, index] : keys) {
    const uint64_t count = storages.bytes(index) / storages.unit(index);
    LAN_OK(file.write(as_little(count)));
    LAN_OK(storages.write(index, file, nullptr));
  }
  return ok();
}

/// PyTorch 2.13 writes streams with tensors of dtypes that have no storage class, and cannot read
/// them.
Status check_for_stream(const ObjectTree& tree, const WriteOptions& options) {
  std::set<std::string_view> missing;
  for (const Object& object : tree.nodes) {
    if (object.kind != Object::Kind::kTensor) continue;
    const DType dtype = written_dtype(object.tensor.dtype(), options);
    if (storage_class(torch_stand_in(dtype)).empty()) missing.insert(dtype_name(dtype));
  }
  if (missing.empty()) return ok();
  std::string names;
  for (const std::string_view name : missing) {
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return Error{ErrorCode::kUnsupported,
               "PyTorch cannot read tensors of " + names + " from the legacy stream", "",
               "Write the zip format, or cast with --dtype."};
}

/// Writes the tree into `file`, which the caller commits.
Status write_tree(OutputFile& file, const std::filesystem::path& path, const ObjectTree& tree,
                  const WriteOptions& options, TorchForm form, WriteReport& report) {
  LAN_TRY(PlainTree plain, make_plain(tree));
  if (form == TorchForm::kLegacy) LAN_OK(check_for_stream(plain.tree, options));
  StorageTable storages(options);
  ObjectPickler pickler(plain.tree, storages, form);
  LAN_TRY(const std::string pickle, pickler.pickle());
  if (form == TorchForm::kZip) {
    LAN_OK(write_zip(file, torch_archive_prefix(path.filename().string()), pickle, storages));
  } else {
    LAN_OK(write_stream(file, pickle, storages));
  }
  report.tensors += plain.tensors;
  for (std::string& note : plain.notes) report.notes.push_back(std::move(note));
  for (std::string& note : storages.take_notes()) report.notes.push_back(std::move(note));
  return ok();
}

}  // namespace

Result<WriteReport> write_torch(const std::filesystem::path& path, const ObjectTree& tree,
                                const WriteOptions& options, TorchForm form) {
  LAN_TRY(OutputFile file, OutputFile::create(path, options));
  WriteReport report;
  LAN_OK(write_tree(file, path, tree, options, form, report));
  report.files = {path};
  report.bytes = file.position();
  LAN_OK(file.commit());  // last: nothing may fail once the file is in its place
  return report;
}

Result<WriteReport> write_torch(const std::filesystem::path& path,
                                const std::vector<FlatTensor>& tensors,
                                const WriteOptions& options, TorchForm form) {
  const WriteShard write_shard = [form](OutputFile& file, const std::filesystem::path& shard,
                                        const std::vector<FlatTensor>& part,
                                        const WriteOptions& how, WriteReport& report) -> Status {
    WriteReport written;
    LAN_OK(write_tree(file, shard, tree_of(part), how, form, written));
    for (std::string& note : written.notes) report.notes.push_back(std::move(note));
    return ok();
  };
  return write_shards(path, tensors, options, write_shard);
}

}  // namespace lanthorn
