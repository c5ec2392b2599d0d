#pragma once

#include <string>
#include <vector>

#include "cli/command_line_shared.h"
#include "cli/json_shared.h"
#include "formats/module_list.h"
#include "formats/quantizer.h"
#include "lanthorn/lanthorn.h"
#include "model/model_impl.h"
#include "tensor/statistics.h"

namespace lanthorn {

/// What `inspect` was asked for.
struct InspectOptions {
  std::string file, tensor, output, max_memory = "256M";
  std::string graph;  // how it is printed: "text", "dot", "mermaid"; empty: not at all
  std::vector<std::string> shapes;
  bool json = false, tensors = false, code = false, digest = false, stats = false;
  bool objects = false, modules = false, cost = false;
};

/// One JSON document on stdout.
Status inspect_as_json(const Model& model, const InspectOptions& options);
/// "values" of an ONNX model: the types of everything in its main graph, symbols kept. Nothing for
/// other files.
Status write_values(JsonWriter& writer, const Model& model);
/// --cost: "operators", "operations" (null where not known), "activation_bytes". Nothing for files that lead to no graph.
Status write_cost(JsonWriter& writer, const Model& model);
/// The graph of the file, or the one that a program leads to, with the types of all its values; null where there is none. Where `sized`,
/// a program's graph is the one for its example's sizes alone.
Result<ExampleGraph> inferred_graph(const Model& model, bool sized = false);
/// --graph: the graph as `form` says, or the code of a program that leads to none. With --json a text of the document.
Result<std::string> graph_text(const Model& model, const std::string& form);
/// For people.
Status inspect_as_text(const Model& model, const InspectOptions& options);
/// --tensor: one tensor, shown or written to a .npy file.
Status inspect_one_tensor(const Model& model, const InspectOptions& options);
void print_one_tensor_json(const NamedTensor& entry, const Quantizer* quantizer, const TensorStatistics& statistics, const std::string& digest);

/// The modules of a whole model or of a program; empty for other files.
Result<std::vector<ModuleEntry>> modules_of(const Model& model);
/// What the integers of the tensor of this name mean; null where it is not quantized or that is not
/// known.
const Quantizer* quantizer_named(const Model& model, const std::string& name);
uint64_t parameter_count(const StateDict& tensors);
/// The digest that a checkpoint carries for a tensor of this name in "tensor_digests"; empty where it
/// carries none.
std::string carried_digest(const Model& model, std::string_view name);
/// What a sweep over all tensors' bytes tells people of: its bytes, twice where both are asked for.
uint64_t bytes_to_read(const Model& model, const InspectOptions& options);

}  // namespace lanthorn
