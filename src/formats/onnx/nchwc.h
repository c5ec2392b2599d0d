#pragma once

#include "formats/onnx/model.h"
#include "graph/graph.h"
#include "lanthorn/result.h"

// Files that ONNX Runtime optimized for one processor hold convolutions of the domain
// com.microsoft.nchwc, whose channels are stored in blocks. Inside, these tensors keep their plain
// order [N, C, H, W], with the channels that fill the last block; only weights are stored in
// blocks.
namespace lanthorn::onnx {

constexpr std::string_view kNchwcDomain = "com.microsoft.nchwc";

/// The channels of a block, 8 or 16, which the file does not tell, from the sizes of its weights.
int64_t nchwc_block(const ModelProto& model);

/// Appends what a node of that domain means. kUnsupported for operators and weights that are not
/// known.
Status append_plain_layout(Graph& graph, int64_t block, Node node);

}  // namespace lanthorn::onnx
