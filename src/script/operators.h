#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lanthorn/result.h"
#include "script/aten.h"
#include "script/schema.h"

namespace lanthorn::script {

/// A row of src/script/aten with its schema read.
struct Operator {
  Schema schema;
  const AtenRow* row = nullptr;
};

/// The overloads of a name ("aten::add"), in the order of the tables; empty if there is none. The
/// table is built on first use.
std::span<const Operator> operators_named(std::string_view name);
/// Whether there is such an operator, in-place forms of functional rows included.
bool has_operator(std::string_view name);
/// Schemas of ours that do not parse, one a line: for the test.
std::string broken_schemas();

/// The arguments of a call as the code wrote them.
struct CallArguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> keywords;
};

/// How well a value fits a formal type: 0 as it is, 1 by a conversion that TorchScript makes, 2 and
/// more by one that it does not; nothing if it does not.
std::optional<int> fit(const SchemaType& type, const Value& value);

struct Match {
  const Operator* op = nullptr;
  std::vector<Value> values;  // by position, defaults filled in, not yet converted
};
/// The overload that PyTorch would take: the first that fits without conversions, else the first
/// that fits with fewer. `op` is null if none fits.
Match match(std::span<const Operator> overloads, const CallArguments& arguments);
/// Converts matched values to what the schema promised to the row.
Result<Args> convert(Lowering& lowering, Match match);

}  // namespace lanthorn::script
