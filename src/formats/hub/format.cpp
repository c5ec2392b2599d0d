#include "formats/format.h"

#include <rapidjson/document.h>

#include <map>
#include <set>

#include "codec/byte_reader.h"
#include "formats/named_tensors.h"

namespace lanthorn {
namespace {

constexpr uint64_t kMaxIndex = uint64_t{32} << 20;

bool matches(std::span<const std::byte> bytes) {
  if (bytes.empty() || bytes[0] != std::byte{'{'} || bytes.size() > kMaxIndex) return false;
  return as_text(bytes).find("\"weight_map\"") != std::string_view::npos;
}

/// A shard is a plain name in the index's own folder, so that an index cannot reach elsewhere.
Status check_shard(std::string_view name) {
  const bool plain = !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
                     name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
  if (plain) return ok();
  std::string shown;
  for (const char c : name.substr(0, 60)) shown += static_cast<unsigned char>(c) < 32 ? '?' : c;
  return Error{ErrorCode::kCorrupt,
               "the index names the shard '" + shown + "', which is not a plain file name",
               "weight_map"};
}

struct Index {
  std::vector<std::string> names;                       // of tensors, in order
  std::map<std::string, std::set<std::string>> shards;  // the names in each
};

Result<Index> parse_index(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(
      json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) {
    return Error{ErrorCode::kCorrupt, "the index is no JSON object",
                 "byte " + std::to_string(document.GetErrorOffset())};
  }
  // Members are counted, not iterated: Clang finds comparing RapidJSON's iterators ambiguous in
  // C++20.
  if (!document.HasMember("weight_map") || !document["weight_map"].IsObject()) {
    return Error{ErrorCode::kCorrupt, "the index has no object 'weight_map'"};
  }
  const auto& map = document["weight_map"];
  Index index;
  for (rapidjson::SizeType i = 0; i < map.MemberCount(); ++i) {
    const auto& key = (map.MemberBegin() + static_cast<ptrdiff_t>(i))->name;
    const auto& value = (map.MemberBegin() + static_cast<ptrdiff_t>(i))->value;
    if (!value.IsString())
      return Error{ErrorCode::kCorrupt, "a shard's name is no string", "weight_map"};
    std::string name(key.GetString(), key.GetStringLength());
    std::string shard(value.GetString(), value.GetStringLength());
    LAN_OK(check_shard(shard));
    if (!index.shards[std::move(shard)].insert(name).second) {
      return Error{ErrorCode::kCorrupt, "the tensor '" + name + "' comes twice", "weight_map"};
    }
    index.names.push_back(std::move(name));
  }
  return index;
}

/// A model in several files: an index that says which tensor is in which (Hugging Face's
/// model.safetensors.index.json and pytorch_model.bin.index.json).
Result<FileContents> read(const std::shared_ptr<const MappedFile>& file, const ReadLimits& limits) {
  LAN_TRY(Index index, parse_index(as_text(file->bytes())));
  if (file->path().empty()) {
    return Error{ErrorCode::kUnsupported,
                 "an index of shards can only be read from a folder with them"};
  }
  const auto folder = file->path().parent_path();
  FileContents contents;
  std::map<std::string, Tensor, std::less<>> found;
  for (const auto& [shard, names] : index.shards) {
    LAN_TRY(FileContents part, read_shard(folder / shard, limits));
    contents.format = part.format;
    contents.format_version = part.format_version;
    contents.producer = part.producer;
    contents.files.insert(contents.files.end(), part.files.begin(), part.files.end());
    for (std::string& note : part.notes) contents.notes.push_back(shard + ": " + std::move(note));
    size_t extra = 0;
    for (const NamedTensor& named : part.tensors.entries()) {
      if (names.count(named.name) > 0) {
        found.emplace(named.name, named.tensor);
        const auto quantizer = part.quantizers.find(named.name);
        if (quantizer != part.quantizers.end()) contents.quantizers.insert(*quantizer);
      } else {
        ++extra;
      }
    }
    if (extra > 0) {
      contents.notes.push_back(shard + ": " + std::to_string(extra) +
                               " tensors are not in the index and were left out");
    }
  }
  std::vector<NamedTensor> tensors;
  tensors.reserve(index.names.size());
  for (std::string& name : index.names) {
    const auto tensor = found.find(name);
    if (tensor == found.end()) {
      return Error{ErrorCode::kCorrupt,
                   "the index names the tensor '" + name + "', but its shard does not have it"};
    }
    tensors.push_back({std::move(name), tensor->second});
  }
  contents.metadata.emplace_back("shards", std::to_string(index.shards.size()));
  LAN_TRY(contents.tensors, make_state_dict(std::move(tensors)));
  return contents;
}

}  // namespace

extern const Format format_hub;
const Format format_hub{"hub", "sharded safetensors and torch files with an index", matches, read};

}  // namespace lanthorn
