#pragma once

#include "graph/graph.h"

namespace lanthorn {

/// Writes operators of the newest opsets that runtimes do not have yet in those that all have and that
/// say the same: Swish as x * Sigmoid(x), as PyTorch's own exporter does. In subgraphs too.
void use_portable_nodes(Graph& graph);

}  // namespace lanthorn
