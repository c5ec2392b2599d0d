#include "formats/torch/write.h"

#include <algorithm>
#include <set>

#include "codec/byte_reader.h"
#include "codec/pickle_writer.h"
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

/// The three pickles that begin the stream: a magic number, a version, the machine.
std::string stream_start() {
  PickleWriter magic, version, machine;
  magic.big_integer("119547037146038801333356");
  version.integer(1001);
  machine.op('}');
  machine.put();
  machine.op('(');
  machine.literal("protocol_version");
  machine.integer(1001);
  machine.literal("little_endian");
  machine.boolean(true);
  machine.literal("type_sizes");
  machine.op('}');
  machine.put();
  machine.op('(');
  for (const auto& [name, bytes] : {std::pair("short", 2), std::pair("int", 4), std::pair("long", 4)}) {
    machine.literal(name);
    machine.integer(bytes);
  }
  machine.op('u');
  machine.op('u');
  return magic.finish() + version.finish() + machine.finish();
}

Status write_stream(OutputFile& file, const std::string& pickle, const StorageTable& storages) {
  std::vector<std::pair<std::string, size_t>> keys;
  for (size_t i = 0; i < storages.size(); ++i) keys.emplace_back(storage_key(i), i);
  std::sort(keys.begin(), keys.end());
  PickleWriter list;
  list.op(']');
  list.put();
  constexpr size_t kBatch = 1000;
  for (size_t begin = 0; begin < keys.size(); begin += kBatch) {
    if (keys.size() > 1) list.op('(');
    for (size_t i = begin; i < std::min(begin + kBatch, keys.size()); ++i) {
      list.text(keys[i].first);
      list.put();
    }
    list.op(keys.size() > 1 ? 'e' : 'a');
  }
  LAN_OK(file.write(as_bytes(stream_start())));
  LAN_OK(file.write(as_bytes(pickle)));
  LAN_OK(file.write(as_bytes(list.finish())));
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

template <TorchForm form>
Status write_shard(OutputFile& file, const std::filesystem::path& path,
                   const std::vector<FlatTensor>& tensors, const WriteOptions& options,
                   WriteReport& report) {
  WriteReport part;
  LAN_OK(write_tree(file, path, tree_of(tensors), options, form, part));
  for (std::string& note : part.notes) report.notes.push_back(std::move(note));
  return ok();
}

}  // namespace

Result<WriteReport> write_torch(const std::filesystem::path& path, const ObjectTree& tree,
                                const WriteOptions& options, TorchForm form) {
  LAN_TRY(OutputFile file, OutputFile::create(path, options));
  WriteReport report;
  LAN_OK(write_tree(file, path, tree, options, form, report));
  LAN_OK(file.commit());
  report.files = {path};
  report.bytes = file.position();
  return report;
}

Result<WriteReport> write_torch(const std::filesystem::path& path,
                                const std::vector<FlatTensor>& tensors,
                                const WriteOptions& options, TorchForm form) {
  return write_shards(path, tensors, options,
                      form == TorchForm::kZip ? write_shard<TorchForm::kZip>
                                              : write_shard<TorchForm::kLegacy>);
}

}  // namespace lanthorn
