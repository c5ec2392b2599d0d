#pragma once

#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn {

struct OptimizeOptions {
  bool channels_last = true;  // NHWC inside, transposes at the edges
};

/// Runs the graph passes in their order. Types are inferred afterwards. The graph means the same
/// before and after, up to rounding.
Status optimize(Graph& graph, const OptimizeOptions& options);

}  // namespace lanthorn
