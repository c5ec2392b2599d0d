#pragma once

#include "graph/graph.h"

namespace lanthorn {

/// A copy whose subgraphs are its own too; tensors are shared.
Graph clone_graph(const Graph& graph);

}  // namespace lanthorn
