#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lanthorn/result.h"
#include "script/program.h"

namespace lanthorn::script {

/// A program of one class M in one file `__torch__.py`, with the given attributes: for tests.
Program program_of(std::string_view source,
                   std::vector<std::pair<std::string, Value>> attributes = {},
                   std::vector<Value> constants = {});
/// A loaded float32 tensor, as an attribute of a module.
Value loaded_floats(std::string name, Shape shape, const std::vector<float>& values);
/// The signature of these inputs.
std::vector<SignatureInput> signature_of(const std::vector<Tensor>& inputs);
/// Runs a graph node by node with reference kernels.
Result<std::vector<Tensor>> run_nodes(const Graph& graph, const std::vector<Tensor>& inputs);
/// Evaluates `forward` for the inputs and runs the graph: its tensor outputs.
Result<std::vector<Tensor>> run_program(const Program& program, const std::vector<Tensor>& inputs);

}  // namespace lanthorn::script
