#pragma once

#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn {

struct OptimizeOptions {
  bool channels_last = true;  // NHWC inside, transposes at the edges
};

/// Folds constants and takes out what does nothing or is there twice. What is left are operators of
/// the graph as it was. Needs types to be inferred, and leaves them so.
Status clean(Graph& graph);

/// Runs the graph passes in their order. Types are inferred afterwards. The graph means the same
/// before and after, up to rounding.
Status optimize(Graph& graph, const OptimizeOptions& options);

}  // namespace lanthorn
