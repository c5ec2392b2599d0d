#include "formats/shards.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "codec/byte_reader.h"
#include "codec/json_text.h"

namespace lanthorn {
namespace {

/// Bytes that a tensor takes in a file.
uint64_t written_bytes(const FlatTensor& tensor, const WriteOptions& options) {
  return static_cast<uint64_t>(tensor.tensor.count()) *
         dtype_bytes(written_dtype(tensor.dtype(), options));
}

/// The tensors of each file, in order; a group of tied ones is not torn apart.
std::vector<std::vector<FlatTensor>> split(const std::vector<FlatTensor>& tensors,
                                           const WriteOptions& options) {
  struct Group {
    std::vector<size_t> members;
    uint64_t bytes = 0;
  };
  std::vector<Group> groups;
  std::map<const Storage*, size_t> of_storage;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Storage* storage = tensors[i].tensor.storage().get();
    const auto [known, is_new] = of_storage.emplace(storage, groups.size());
    if (is_new) groups.emplace_back();
    Group& group = groups[known->second];
    group.members.push_back(i);
    group.bytes += written_bytes(tensors[i], options);
  }
  std::vector<std::vector<FlatTensor>> shards(1);
  uint64_t used = 0;
  for (const Group& group : groups) {
    if (used > 0 && used + group.bytes > options.max_shard_bytes) {
      shards.emplace_back();
      used = 0;
    }
    used += group.bytes;
    for (const size_t member : group.members) shards.back().push_back(tensors[member]);
  }
  return shards;
}

std::string shard_name(const std::filesystem::path& path, size_t index, size_t count) {
  char number[40];
  std::snprintf(number, sizeof number, "-%05zu-of-%05zu", index + 1, count);
  return path.stem().string() + number + path.extension().string();
}

std::string index_text(const std::vector<std::vector<FlatTensor>>& shards,
                       const std::filesystem::path& path, uint64_t total) {
  std::map<std::string, std::string> places;
  for (size_t i = 0; i < shards.size(); ++i) {
    for (const FlatTensor& tensor : shards[i])
      places[tensor.name] = shard_name(path, i, shards.size());
  }
  std::string json = "{\n  \"metadata\": {\n    \"total_size\": " + std::to_string(total) +
                     "\n  },\n  \"weight_map\": {";
  const char* separator = "\n    ";
  for (const auto& [name, file] : places) {
    json += separator;
    append_json_string(json, name);
    json += ": ";
    append_json_string(json, file);
    separator = ",\n    ";
  }
  return json + "\n  }\n}\n";
}

}  // namespace

Result<WriteReport> write_shards(const std::filesystem::path& path,
                                 const std::vector<FlatTensor>& tensors,
                                 const WriteOptions& options, const WriteShard& write) {
  uint64_t total = 0;
  for (const FlatTensor& tensor : tensors) total += written_bytes(tensor, options);
  std::vector<std::vector<FlatTensor>> shards;
  if (options.max_shard_bytes > 0 && total > options.max_shard_bytes) {
    shards = split(tensors, options);
  } else {
    shards.push_back(tensors);
  }
  WriteReport report;
  report.tensors = tensors.size();
  std::vector<OutputFile> files;
  for (size_t i = 0; i < shards.size(); ++i) {
    const auto name = shards.size() == 1 ? path
                                         : path.parent_path() / shard_name(path, i, shards.size());
    LAN_TRY(OutputFile file, OutputFile::create(name, options));
    LAN_OK(write(file, name, shards[i], options, report));
    report.files.push_back(name);
    files.push_back(std::move(file));
  }
  if (shards.size() > 1) {
    const auto name = path.parent_path() / (path.filename().string() + ".index.json");
    LAN_TRY(OutputFile file, OutputFile::create(name, options));
    LAN_OK(file.write(as_bytes(index_text(shards, path, total))));
    report.files.push_back(name);
    files.push_back(std::move(file));
  }
  LAN_OK(OutputFile::commit_all(files));
  for (const OutputFile& file : files) report.bytes += file.position();
  return report;
}

}  // namespace lanthorn
