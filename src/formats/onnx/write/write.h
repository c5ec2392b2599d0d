#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "formats/onnx/annotations.h"
#include "formats/write.h"
#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn::onnx {

struct OnnxWriteOptions {
  int opset = kOpset;
  /// Tensors of so many bytes and more go into a file beside the model's, `<name>.data`. Without it
  /// they do where the model would have 2 GB or more, which protocol buffers do not allow.
  std::optional<uint64_t> external_threshold;
  WriteOptions write;
};

/// Writes a graph as a model of `options.opset`, atomically; the same graph gives the same bytes.
/// kUnsupported with the list of all that this opset cannot express.
Result<WriteReport> write_model(const std::filesystem::path& path, const Graph& graph,
                                const Annotations& annotations, const OnnxWriteOptions& options);

/// Whether write_model would write it: its errors but for those of the disk.
Status check_writable(const Graph& graph, const Annotations& annotations,
                      const OnnxWriteOptions& options);

}  // namespace lanthorn::onnx
