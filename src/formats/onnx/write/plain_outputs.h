#pragma once

#include "graph/graph.h"

namespace lanthorn::onnx {

/// Sees to it that every output of a graph is made by a node of it, and none is there twice: runtimes
/// count on that. The outputs that it replaces lose their names.
void make_outputs_plain(Graph& graph);

}  // namespace lanthorn::onnx
