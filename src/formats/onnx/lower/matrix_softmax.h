#pragma once

#include "graph/graph.h"

namespace lanthorn::onnx {

/// The domain of nodes that are in the terms of the file's opset already. ONNX's long name of "".
constexpr std::string_view kAsInFile = "ai.onnx";

/// Until opset 13 Softmax, LogSoftmax and Hardmax saw their input as a matrix. Where a graph holds
/// what raising such a node made of it (Flatten, the operator, Reshape to the shape before), it
/// becomes that node again, of domain kAsInFile: exact for empty tensors too.
void restore_matrix_softmax(Graph& graph);

}  // namespace lanthorn::onnx
