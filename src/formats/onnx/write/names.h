#pragma once

#include "graph/graph.h"

namespace lanthorn::onnx {

/// Gives every node and value of a graph and its subgraphs the name that it gets in a file: its own
/// where that is free, else one made of the node's. A captured value has its outer name. Subgraphs
/// must not be shared with another graph.
void name_all(Graph& graph);

}  // namespace lanthorn::onnx
