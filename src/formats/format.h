#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/mapped_file.h"
#include "formats/quantizer.h"
#include "graph/graph.h"
#include "lanthorn/object.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"
#include "script/program.h"

namespace lanthorn {

namespace onnx {
struct Annotations;
}

/// Bounds on what reading one file may cost; every decoder keeps to them.
struct ReadLimits {
  uint64_t max_memory_bytes = uint64_t{256} << 20;  // beyond the mapping, for structures
  uint64_t max_tensor_bytes = uint64_t{64} << 30;   // decompressed or generated tensors
  uint32_t max_depth = 512;
  bool check_crc = false;  // of tensors that are only mapped, too; reads the whole file
};

/// How many bytes the compressed tensors of a file of this size may become: a bomb grows by a
/// thousand, real weights hardly at all, and small files may hold zeros.
uint64_t inflated_limit(const ReadLimits& limits, uint64_t file_bytes);

/// What a file holds. Exactly one of program, graph, and tensors/objects is the main thing.
struct FileContents {
  std::string format;          // "onnx", "torchscript", "torch", "safetensors", ...
  std::string format_version;  // as the file says it
  std::string producer;        // "pytorch 2.13.0", may be empty
  std::shared_ptr<const script::Program> program;  // torchscript
  std::shared_ptr<const Graph> graph;              // onnx
  std::shared_ptr<const onnx::Annotations> annotations;  // onnx: what it says beside the graph
  std::shared_ptr<const ObjectTree> objects;       // torch
  StateDict tensors;  // all named tensors of the file (weights of a model too)
  Quantizers quantizers;  // of the quantized ones
  std::vector<std::pair<std::string, std::string>> metadata;  // for people
  std::vector<std::string> notes;                             // what reading had to drop or assume
  std::vector<std::shared_ptr<const MappedFile>> files;       // that tensors may look at
};

/// One file format. src/formats/<name>/format.cpp defines format_<name>.
struct Format {
  std::string_view name;
  std::string_view versions;  // what `--version` says that it reads: "opset 1 to 28"
  /// True if the bytes look like this format (first bytes and structure, never the file's name).
  bool (*matches)(std::span<const std::byte> bytes) = nullptr;
  /// Reads the file. The contents keep the mapping alive.
  Result<FileContents> (*read)(const std::shared_ptr<const MappedFile>& file,
                               const ReadLimits& limits) = nullptr;
  /// True where `matches` goes by structure alone, so that formats with marks of their own are asked
  /// first.
  bool has_no_mark = false;
  std::string_view written = {};  // what `--version` says that it writes; empty: nothing
};

/// Written by cmake/tables.cmake from src/formats/*/format.cpp.
std::span<const Format* const> all_formats();
/// The format of these bytes; kCorrupt with what was seen if none.
Result<const Format*> detect_format(std::span<const std::byte> bytes);
/// Finds the format of a file in memory or mapped, and reads it.
Result<FileContents> read_bytes(const std::shared_ptr<const MappedFile>& file,
                                const ReadLimits& limits = {});
/// Reads one file of a model that has several. An index of shards is refused here, so that files
/// cannot name each other in circles.
Result<FileContents> read_shard(const std::filesystem::path& path, const ReadLimits& limits);
/// Maps a file, finds its format and reads it. For a folder as model hubs have them, reads the
/// model in it: an index of shards, or the one file of weights. Errors name the file.
Result<FileContents> read_file(const std::filesystem::path& path, const ReadLimits& limits = {});

}  // namespace lanthorn
