#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "script/aten.h"
#include "script/interpret.h"

namespace lanthorn::script {

/// What is known of the sizes of the inputs: what each symbol is in the run at hand, where the
/// graph can read it, and which of them the program has asked about, so that the graph holds for
/// these only.
struct SizeSymbols {
  struct Source {
    ValueId value = kNoValue;
    int64_t axis = 0;
  };
  std::map<std::string, int64_t, std::less<>> hints;
  std::map<std::string, Source, std::less<>> sources;
  std::set<std::string> asked;
  bool asked_unknown = false;  // a size that no hint tells was asked for
};

/// Builds a graph: the one implementation of Lowering. Every node is inferred when it is made; a
/// node of small known inputs is folded; views are made functional.
class GraphLowering final : public Lowering {
 public:
  GraphLowering() : graph_(std::make_shared<Graph>()) {}

  Result<ValueId> read(const TensorRef& tensor) override;
  Result<ValueId> emit(std::string op, std::vector<ValueId> inputs, Attributes attributes = {},
                       std::string domain = "") override;
  Result<std::vector<ValueId>> emit_many(std::string op, std::vector<ValueId> inputs,
                                         size_t outputs, Attributes attributes = {},
                                         std::string domain = "") override;
  ValueId constant(Tensor tensor) override;
  const ValueType& type(ValueId value) const override { return graph_->values[value].type; }
  const Tensor* known(ValueId value) const override;
  Result<ValueId> shape_value(std::span<const Dim> dims) override;
  Result<ValueId> reshape_value(std::span<const Dim> dims) override;
  TensorRef tensor(ValueId value) override;
  std::optional<Dims> elements(const TensorRef& tensor) override;
  TensorRef literal(Tensor tensor, bool wrapped_number = false) override;
  Result<TensorRef> view(const TensorRef& base, ViewStep step) override;
  Result<Value> write(const TensorRef& target, ValueId value) override;
  Result<int64_t> concrete(const Dim& dim) override;
  Result<std::vector<int64_t>> concrete(std::span<const Dim> dims) override;
  Result<bool> equal(const Dim& a, const Dim& b) override;
  Result<bool> less(const Dim& a, const Dim& b) override;
  Result<Dim> integer_of(const TensorRef& tensor) override;
  void note(std::string text) override;
  Error error(ErrorCode code, std::string message) const override;

  /// A graph input; each of its dims that is a lone symbol may be read from it.
  TensorRef input(std::string name, DType dtype, Dims dims);
  /// A tensor of a loaded program: a constant, named `name` in the graph, once it is read.
  static TensorRef loaded(Tensor tensor, std::string name);

  /// Where set, the program is interpreted: what it asks of the data is worked out on the inputs at
  /// hand. observe.cpp.
  RunPiece run_piece;
  /// The tensor behind a value of the graph, in the run at hand.
  void bind(ValueId value, Tensor tensor);
  bool is_bound(ValueId value) const { return value < bound_.size() && bound_[value].has_value(); }
  const Tensor& bound(ValueId value) const { return *bound_[value]; }
  /// Runs what leads to these values; then they are bound, but for those that are constants.
  Status compute(std::span<const ValueId> values);
  /// See observed().
  Result<const Tensor*> observe(ValueId value);

  /// Where the program is, for errors and for Node::source.
  std::function<std::string()> place;       // the model's own source, as far as known
  std::function<std::string()> code_place;  // cheap: the archive's
  std::function<std::string()> module_path;  // of the module at work, for Node::name
  SizeSymbols symbols;
  std::vector<std::string> notes;
  const std::shared_ptr<Graph>& graph() const { return graph_; }

 private:
  ValueId add_value(ValueType type, std::optional<Dims> elements);
  bool may_fold(const Node& node) const;
  Result<std::vector<Tensor>> fold(const Node& node) const;
  Result<ValueId> apply(ValueId base, const TensorRef& view);
  Result<ValueId> put_back(const TensorRef& view, ValueId value);
  Result<ValueId> write_slice(const TensorRef& view, ValueId base, ValueId value);
  Result<ValueId> fit_to(ValueId value, DType dtype, const Dims& dims);
  /// One symbol or expression as a 1-D int64 value of one element.
  Result<ValueId> number_value(const Dim& dim);
  Result<ValueId> atom_value(const DimAtom& atom);
  Result<ValueId> size_value(ValueId of, int64_t axis);
  void remember_unknown_dims(ValueId value);
  std::optional<int64_t> by_hints(const Dim& dim);
  Result<std::vector<uint32_t>> needed_nodes(std::span<const ValueId> values);
  std::vector<ValueId> kept_values(std::span<const uint32_t> nodes, std::span<const ValueId> asked);
  Result<std::vector<lanthorn::Value>> run_nodes(std::span<const uint32_t> nodes,
                                                 const std::vector<ValueId>& outputs);
  Status tell_unknown(uint64_t id);
  Status tell_unknowns(const Dim& dim);
  /// With what running told put in.
  Dim settled(const Dim& dim) const;

  std::shared_ptr<Graph> graph_;
  uint64_t folded_bytes_ = 0;
  std::vector<std::optional<Dims>> elements_;  // by ValueId
  std::vector<bool> weight_;                   // by ValueId: came from the file
  std::unordered_map<std::string, ValueId> small_constants_;
  std::unordered_map<std::string, ValueId> numbers_;  // by key_of(Dim)
  std::map<std::pair<ValueId, int64_t>, ValueId> sizes_;
  std::unordered_map<uint64_t, SizeSymbols::Source> unknown_sources_;  // by DimAtom::unknown_id
  std::unordered_map<uint64_t, ValueId> unknown_values_;
  // Of an interpreted program:
  std::vector<std::optional<Tensor>> bound_;        // by ValueId
  std::vector<std::weak_ptr<StorageRoot>> roots_;   // that the program may still read
  std::vector<uint32_t> maker_;                     // by ValueId: the node, of the first traced_
  size_t traced_ = 0;
  std::vector<bool> done_;                          // by node
  std::unordered_map<uint64_t, int64_t> told_;      // by DimAtom::unknown_id
  std::string trail_;                               // all that the data has answered so far
  size_t pieces_ = 0;
};

}  // namespace lanthorn::script
