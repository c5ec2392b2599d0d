// Sizes: symbolic integers as values of the graph, and answers about them from the run at hand.
#include <array>

#include "base/check.h"
#include "script/graph_lowering.h"

namespace lanthorn::script {
namespace {

/// A text that tells two dimensions apart wherever they differ; Dim::text() is for people and calls
/// every number of which nothing is known "?".
std::string key_of(const Dim& dim) {
  if (dim.is_known()) return std::to_string(dim.value());
  std::string key;
  for (const DimTerm& term : dim.terms()->terms) {
    key += (key.empty() ? "" : "+") + std::to_string(term.coefficient);
    for (const auto& factor : term.factors) {
      key += "*";
      switch (factor->kind) {
        case DimAtom::Kind::kSymbol:
          key += factor->name;
          break;
        case DimAtom::Kind::kUnknown:
          key += "?" + std::to_string(factor->unknown_id);
          break;
        default:
          key += std::to_string(static_cast<int>(factor->kind)) + "(" + key_of(factor->args[0]) + "," +
                 key_of(factor->args[1]) + ")";
      }
    }
  }
  return key;
}

}  // namespace

std::optional<int64_t> GraphLowering::by_hints(const Dim& dim) {
  const Dim known = settled(dim).substitute([&](const std::string& name) -> std::optional<Dim> {
    const auto it = symbols.hints.find(name);
    return it == symbols.hints.end() ? std::nullopt : std::optional<Dim>(it->second);
  });
  return known.known();
}

Result<int64_t> GraphLowering::concrete(const Dim& dim) {
  if (dim.is_known()) return dim.value();
  auto value = by_hints(dim);
  if (!value && run_piece) {
    LAN_OK(tell_unknowns(dim));
    value = by_hints(dim);
  }
  if (!value) {
    symbols.asked_unknown = true;
    return error(ErrorCode::kUnsupported,
                 "a number here depends on the data of a tensor: " + dim.text());
  }
  for (const std::string& name : dim.symbols()) symbols.asked.insert(name);
  return *value;
}

Result<std::vector<int64_t>> GraphLowering::concrete(std::span<const Dim> dims) {
  std::vector<int64_t> out;
  out.reserve(dims.size());
  for (const Dim& dim : dims) {
    LAN_TRY(const int64_t value, concrete(dim));
    out.push_back(value);
  }
  return out;
}

Result<bool> GraphLowering::equal(const Dim& a, const Dim& b) {
  const Dim difference = settled(a - b);
  if (difference.is_known()) return difference.value() == 0;
  const DimRange range = range_of(difference);
  if ((range.low && *range.low > 0) || (range.high && *range.high < 0)) return false;
  LAN_TRY(const int64_t x, concrete(a));
  LAN_TRY(const int64_t y, concrete(b));
  return x == y;
}

Result<bool> GraphLowering::less(const Dim& a, const Dim& b) {
  const Dim difference = settled(a - b);
  if (difference.is_known()) return difference.value() < 0;
  const DimRange range = range_of(difference);
  if (range.high && *range.high < 0) return true;
  if (range.low && *range.low >= 0) return false;
  LAN_TRY(const int64_t x, concrete(a));
  LAN_TRY(const int64_t y, concrete(b));
  return x < y;
}

Result<Dim> GraphLowering::integer_of(const TensorRef& tensor) {
  LAN_TRY(const ValueId value, read(tensor));
  if (const auto& told = elements_[value]; told && told->size() == 1) return (*told)[0];
  if (const Tensor* constant_tensor = known(value)) {
    const auto reals = constant_tensor->to_doubles();
    if (reals && reals->size() == 1) return Dim(static_cast<int64_t>((*reals)[0]));
  }
  if (run_piece) {
    LAN_TRY(const Tensor* told, observe(value));
    const auto reals = told->to_doubles();
    if (reals && reals->size() == 1) return Dim(static_cast<int64_t>((*reals)[0]));
  }
  if (!product(tensor->dims).is(1)) {
    return error(ErrorCode::kInvalidInput,
                 "a tensor of shape " + dims_text(tensor->dims) + " is no single number");
  }
  LAN_TRY(const ValueId integer, cast(*this, value, DType::kI64));
  LAN_TRY(const ValueId shape, shape_value(std::array{Dim(1)}));
  LAN_TRY(const ValueId one, emit("Reshape", {integer, shape}));
  Dim dim = Dim::unknown();
  unknown_values_.emplace(dim.terms()->terms[0].factors[0]->unknown_id, one);
  return dim;
}

void GraphLowering::remember_unknown_dims(ValueId value) {
  const Dims& dims = type(value).dims;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (dims[axis].is_known()) continue;
    const auto& terms = dims[axis].terms()->terms;
    if (terms.size() != 1 || terms[0].coefficient != 1 || terms[0].factors.size() != 1) continue;
    const DimAtom& atom = *terms[0].factors[0];
    if (atom.kind != DimAtom::Kind::kUnknown) continue;
    unknown_sources_.try_emplace(atom.unknown_id,
                                 SizeSymbols::Source{value, static_cast<int64_t>(axis)});
  }
}

Result<ValueId> GraphLowering::size_value(ValueId of, int64_t axis) {
  const auto key = std::pair(of, axis);
  if (const auto it = sizes_.find(key); it != sizes_.end()) return it->second;
  LAN_TRY(const ValueId made, emit("Shape", {of}, {{"start", axis}, {"end", axis + 1}}));
  sizes_.emplace(key, made);
  return made;
}

Result<ValueId> GraphLowering::atom_value(const DimAtom& atom) {
  switch (atom.kind) {
    case DimAtom::Kind::kSymbol: {
      const auto it = symbols.sources.find(atom.name);
      if (it == symbols.sources.end()) break;
      return size_value(it->second.value, it->second.axis);
    }
    case DimAtom::Kind::kUnknown: {
      if (const auto it = unknown_values_.find(atom.unknown_id); it != unknown_values_.end())
        return it->second;
      const auto it = unknown_sources_.find(atom.unknown_id);
      if (it == unknown_sources_.end()) break;
      return size_value(it->second.value, it->second.axis);
    }
    default: {
      LAN_TRY(const ValueId a, number_value(atom.args[0]));
      LAN_TRY(const ValueId b, number_value(atom.args[1]));
      if (atom.kind == DimAtom::Kind::kMax) return emit("Max", {a, b});
      if (atom.kind == DimAtom::Kind::kMin) return emit("Min", {a, b});
      LAN_TRY(const ValueId rest, emit("Mod", {a, b}));  // has the sign of b, as Python's
      if (atom.kind == DimAtom::Kind::kMod) return rest;
      LAN_TRY(const ValueId whole, emit("Sub", {a, rest}));
      return emit("Div", {whole, b});
    }
  }
  return error(ErrorCode::kUnsupported, "a size of the graph is not to be had: " + atom.name);
}

Result<ValueId> GraphLowering::number_value(const Dim& dim) {
  if (dim.is_known()) return constant(Tensor::of_ints(std::array{dim.value()}));
  const std::string key = key_of(dim);
  if (const auto it = numbers_.find(key); it != numbers_.end()) return it->second;
  ValueId sum = kNoValue;
  for (const DimTerm& term : dim.terms()->terms) {
    ValueId part = kNoValue;
    for (const auto& factor : term.factors) {
      LAN_TRY(const ValueId value, atom_value(*factor));
      if (part == kNoValue) {
        part = value;
      } else {
        LAN_TRY(part, emit("Mul", {part, value}));
      }
    }
    if (part == kNoValue || term.coefficient != 1) {
      const ValueId coefficient = constant(Tensor::of_ints(std::array{term.coefficient}));
      if (part == kNoValue) {
        part = coefficient;
      } else {
        LAN_TRY(part, emit("Mul", {part, coefficient}));
      }
    }
    if (sum == kNoValue) {
      sum = part;
    } else {
      LAN_TRY(sum, emit("Add", {sum, part}));
    }
  }
  if (sum == kNoValue) sum = constant(Tensor::of_ints(std::array{int64_t{0}}));
  // Shape rules may not follow all of this arithmetic; the dimension itself is known better.
  if (!known(sum)) elements_[sum] = Dims{dim};
  numbers_.emplace(key, sum);
  return sum;
}

Result<ValueId> GraphLowering::shape_value(std::span<const Dim> dims) {
  if (all_known(dims)) {
    std::vector<int64_t> values;
    for (const Dim& dim : dims) values.push_back(dim.value());
    return constant(Tensor::of_ints(values));
  }
  if (dims.size() == 1) return number_value(dims[0]);
  std::vector<ValueId> parts;
  std::vector<int64_t> run;  // known neighbours become one constant
  const auto flush = [&] {
    if (!run.empty()) parts.push_back(constant(Tensor::of_ints(run)));
    run.clear();
  };
  for (const Dim& dim : dims) {
    if (dim.is_known()) {
      run.push_back(dim.value());
      continue;
    }
    flush();
    LAN_TRY(const ValueId part, number_value(dim));
    parts.push_back(part);
  }
  flush();
  LAN_TRY(const ValueId list, emit("Concat", std::move(parts), {{"axis", int64_t{0}}}));
  if (!known(list)) elements_[list] = Dims(dims.begin(), dims.end());
  return list;
}

Result<ValueId> GraphLowering::reshape_value(std::span<const Dim> dims) {
  size_t unknowns = 0;
  for (const Dim& dim : dims) unknowns += dim.is_known() ? 0 : 1;
  bool zero = false;
  for (const Dim& dim : dims) zero |= dim.is(0) || dim.is(-1);
  if (unknowns != 1 || zero) return shape_value(dims);
  std::vector<int64_t> values;
  for (const Dim& dim : dims) values.push_back(dim.is_known() ? dim.value() : -1);
  return constant(Tensor::of_ints(values));
}

}  // namespace lanthorn::script
