#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "script/class_table.h"
#include "script/graph_lowering.h"
#include "script/operators.h"
#include "script/program.h"

namespace lanthorn::script {

/// Runs TorchScript code: numbers, strings, containers and objects for real, tensors as values of
/// the graph that the lowering builds. One evaluator serves one evaluation.
class Evaluator {
 public:
  /// Nested calls, blocks and expressions together: what the stack must bear.
  static constexpr int kMaxDepth = 800;

  /// `constants` are CONSTANTS.c0 ... of this evaluation. All outlive the evaluator.
  Evaluator(const ClassTable& classes, std::span<const Value> constants, int64_t version,
            GraphLowering& lowering, const EvaluationLimits& limits = {});

  Result<Value> call(const std::shared_ptr<const Function>& function, CallArguments arguments);
  /// Calls a method of an object; kUnsupported if it has none of that name.
  Result<Value> call_method(const std::shared_ptr<Object>& object, std::string_view name,
                            CallArguments arguments);
  Result<Value> call_operator(std::string_view name, CallArguments arguments);
  /// A value as a declared type wants it: an int for a float, the element type of an empty list.
  Result<Value> as_type(const Type& type, Value value);
  /// The attribute of any value: fields and constants of objects, fields of a NamedTuple, `shape`
  /// of a tensor.
  Result<Value> attribute(const Value& value, std::string_view name);

  /// The module whose method is at work, the innermost; null outside of any.
  std::shared_ptr<Object> module() const;

  /// All that was not supported, with places; nothing if all was.
  std::optional<Error> unsupported() const;
  /// Whether all of it is what only the data of tensors tells.
  bool lacks_only_data() const { return !missing_.empty() && missing_operators_ == 0; }

 private:
  struct Frame {
    const Function* function = nullptr;
    const SourceFile* file = nullptr;
    uint32_t offset = 0;
    std::vector<std::optional<Value>> locals;
    Value result;
  };
  enum class Flow : uint8_t { kNext, kBreak, kContinue, kReturn };
  class Depth;

  // statements: evaluator.cpp
  Result<Flow> run(const std::vector<Stmt>& body);
  Result<Flow> run(const Stmt& statement);
  Result<Flow> run_if(const Stmt& statement);
  Result<Flow> run_while(const Stmt& statement);
  Result<Flow> run_for(const Stmt& statement);
  Result<Flow> run_for_items(const Stmt& statement, std::span<const Value> items);
  Result<Flow> run_with(const Stmt& statement);
  Status run_assign(const Stmt& statement);
  Status run_augmented(const Stmt& statement);
  Status assign(const Expr& target, Value value);
  Status unpack(const Expr& target, const Value& value);
  Error raised(const Expr* what);
  Status bind(const Function& function, CallArguments& arguments, Frame& frame);
  /// Goes on after what is not supported, both ways, to find the rest.
  Result<Flow> scan(const std::vector<Stmt>& body);
  Status tick();

  // expressions: evaluate_expression.cpp
  Result<Value> eval(const Expr& expr);
  Result<Value> eval_name(const Expr& expr);
  Result<Value> eval_attribute(const Expr& expr);
  Result<Value> eval_path(const Expr& expr);
  Result<Value> eval_subscript(const Expr& expr);
  Result<Value> eval_items(const Expr& expr);
  Result<Value> eval_dict(const Expr& expr);
  Result<Value> eval_unary(const Expr& expr);
  Result<Value> eval_binary(const Expr& expr);
  Result<Value> index_tensor(const Value& tensor, const Expr& index);
  Result<Value> index_value(const Value& container, const Expr& index);
  /// Known truth, or an error of kUnsupported where it depends on data; nothing for an unknown.
  Result<std::optional<bool>> truth(const Value& value);
  bool is_local(const Expr& root) const;
  static const Expr& root_of(const Expr& expr);

  // calls: evaluate_call.cpp
  Result<Value> eval_call(const Expr& expr);
  Result<Value> call_name(const Expr& expr, std::string_view name);
  Result<Value> call_path(const Expr& expr, std::string_view path);
  Result<Value> call_on(const Expr& expr, const Expr& callee);
  Result<Value> call_value(const Value& callee, CallArguments arguments);
  Result<Value> construct(const std::shared_ptr<const ClassType>& type, CallArguments arguments);
  Result<Value> call_nested(const std::shared_ptr<const Function>& function);
  Result<CallArguments> arguments_of(const Expr& call);
  Result<bool> is_instance(const Value& value, const Expr& type);
  bool matches(const Value& value, const Type& type);

  // operators: evaluate_operator.cpp
  Result<Value> run_operator(std::string_view name, std::span<const Operator> overloads,
                             const CallArguments& arguments);
  Result<std::optional<Value>> built_in(std::string_view name, CallArguments& arguments);
  /// An operator that gets complex tensors or numbers; nothing where it treats them as all others.
  Result<std::optional<Value>> call_complex(std::string_view name, CallArguments& arguments);
  /// An operator that gets quantized tensors; nothing where its row knows of them.
  Result<std::optional<Value>> call_quantized(std::string_view name, CallArguments& arguments);
  Status upgrade(std::string_view name, CallArguments& arguments);
  Result<Value> write_result(const Value& self, const Value& result);
  Value missing(std::string what);
  /// Counts what a new list or string costs.
  Status charge(const Value& made);

  std::string place() const;
  Frame& frame() { return *frames_.back(); }
  const Frame& frame() const { return *frames_.back(); }

  const ClassTable& classes_;
  std::span<const Value> constants_;
  int64_t version_;
  GraphLowering& lowering_;
  std::vector<Frame*> frames_;
  int depth_ = 0;
  const EvaluationLimits limits_;
  uint64_t steps_ = 0;
  uint64_t items_ = 0;
  std::chrono::steady_clock::time_point deadline_;
  std::vector<std::pair<std::string, std::set<std::string>>> missing_;  // what, places
  size_t missing_operators_ = 0;  // of missing_, those that data would not help
};

}  // namespace lanthorn::script
