#pragma once

#include <string>

#include "graph/graph.h"

namespace lanthorn {

/// The graph as a diagram in Graphviz's language: a box for each operator, input and output, an arrow with the type for each value
/// that is read, a frame for each subgraph. Constants are lines in the box of the operator that reads them.
std::string graph_dot(const Graph& graph);
/// The same as a Mermaid flowchart.
std::string graph_mermaid(const Graph& graph);

}  // namespace lanthorn
