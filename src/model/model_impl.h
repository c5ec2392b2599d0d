#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "formats/format.h"
#include "lanthorn/model.h"
#include "model/context.h"
#include "runtime/executable.h"
#include "script/program.h"

namespace lanthorn {

class PieceCache;

/// A graph of the model with what it was made for, ready to run. Of an ONNX file there is one; of a
/// program one for each signature that was met.
struct CompiledGraph {
  ExecutableOptions options;
  std::vector<script::SignatureInput> signature;  // programs: dtypes, ranks and known values
  std::vector<script::Guard> guards;
  script::OutputTree outputs;                      // programs
  std::shared_ptr<const Executable> executable;  // null where the program is interpreted: no one graph says it
  std::shared_ptr<PieceCache> pieces;            // then, and where a state is kept; see interpreted_run.h
};

struct Signature {
  std::vector<Port> inputs, outputs;
  bool classifier = false;
};

struct Model::Impl {
  FileContents contents;
  std::filesystem::path path;
  LoadOptions options;
  std::shared_ptr<Context> context;

  /// Worked out on first use; programs are evaluated for it.
  const Signature& signature() const;
  /// Makes or finds the executable of an ONNX graph.
  Result<std::shared_ptr<const CompiledGraph>> compile_graph(const ExecutableOptions& options) const;
  /// The same for a program and the inputs at hand.
  Result<std::shared_ptr<const CompiledGraph>> compile_program(const std::vector<script::SignatureInput>& inputs,
                                                               const ExecutableOptions& options) const;

 private:
  mutable std::once_flag signature_once_;
  mutable Signature signature_;
  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const CompiledGraph>> compiled_;
};

/// kUsage where a shape is given for an input that the file's program or graph does not have; an empty name is any.
Status require_inputs(const FileContents& contents, const std::vector<std::pair<std::string, Shape>>& shapes);
/// Signature of a graph's inputs and outputs.
Signature graph_signature(const Graph& graph);

/// A graph, and the shapes of inputs that it may be thought of with.
struct ExampleGraph {
  std::shared_ptr<const Graph> graph;  // null where there is none
  std::vector<Shape> shapes;           // of the graph's inputs, in order
};
/// Signature of a program: from its traced inputs, from `shapes`, or backwards from its weights.
/// `example` gets the graph that it led to, if it led to one.
Signature program_signature(const Model::Impl& model, ExampleGraph* example = nullptr);
/// The graph of the file, with sizes from the options and 1 where they say nothing; of a program the one that its example inputs or
/// its first weights lead to.
ExampleGraph example_graph(const Model::Impl& model);
/// The same, but of a program the graph that it leads to where these sizes are known.
ExampleGraph sized_graph(const Model::Impl& model);
/// Inputs that a program can be evaluated for: its traced ones, else of `shapes` (-1 is free), else
/// backwards from its weights. Nothing where none of these leads to a graph.
std::optional<std::vector<script::SignatureInput>> guess_signature(
    const FileContents& contents, const std::vector<std::pair<std::string, Shape>>& shapes);
/// True where the only output is a floating-point matrix [batch, classes >= 2].
bool looks_like_classifier(const std::vector<Port>& outputs);

}  // namespace lanthorn
