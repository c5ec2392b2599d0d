// Operators: the row that fits, in-place forms out of functional ones, what older archives meant.
#include <algorithm>

#include "script/evaluator.h"
#include "script/quantized_operators.h"

namespace lanthorn::script {
namespace {

bool holds_unknown(const Value& value, int depth = 0) {
  if (value.is_unknown()) return true;
  if (depth > 1) return false;
  const auto any = [&](const std::vector<Value>& items) {
    return std::any_of(items.begin(), items.end(),
                       [&](const Value& item) { return holds_unknown(item, depth + 1); });
  };
  if (const auto list = value.list()) return list->items.size() < 1000 && any(list->items);
  if (const auto tuple = value.tuple()) return any(tuple->items);
  return false;
}

bool holds_unknown(const CallArguments& arguments) {
  return std::any_of(arguments.positional.begin(), arguments.positional.end(),
                     [](const Value& v) { return holds_unknown(v); }) ||
         std::any_of(arguments.keywords.begin(), arguments.keywords.end(),
                     [](const auto& k) { return holds_unknown(k.second); });
}

std::string call_text(std::string_view name, const CallArguments& arguments) {
  std::string text = std::string(name) + "(";
  for (const Value& value : arguments.positional)
    text += (text.back() == '(' ? "" : ", ") + kind_of(value);
  for (const auto& [key, value] : arguments.keywords) {
    text += (text.back() == '(' ? "" : ", ") + key + "=" + kind_of(value);
  }
  return text + ")";
}

bool whole_numbers(const Value& value) {
  if (value.integer() || value.flag()) return true;
  const TensorRef tensor = value.tensor();
  return tensor && (is_integer(tensor->dtype) || tensor->dtype == DType::kBool);
}

}  // namespace

Value Evaluator::missing(std::string what) {
  if (!lowering_.symbols.asked_unknown) ++missing_operators_;
  const auto it = std::find_if(missing_.begin(), missing_.end(),
                               [&](const auto& entry) { return entry.first == what; });
  if (it == missing_.end()) {
    missing_.emplace_back(std::move(what), std::set<std::string>{place()});
  } else if (it->second.size() < 5) {
    it->second.insert(place());
  }
  return Value(Unknown{});
}

Result<std::optional<Value>> Evaluator::built_in(std::string_view name, CallArguments& arguments) {
  using Answer = std::optional<Value>;
  const auto& positional = arguments.positional;
  if (name == "prim::RaiseException") {
    if (!missing_.empty()) return Answer(Value(None{}));
    const std::string* message = positional.empty() ? nullptr : positional[0].text();
    return lowering_.error(
        ErrorCode::kInvalidInput,
        "the model refuses its input: " + (message ? *message : std::string("no reason given")));
  }
  if ((name == "aten::wait" || name == "prim::awaitable_wait" ||
       name == "prim::awaitable_nowait") &&
      positional.size() == 1) {
    return Answer(positional[0]);
  }
  if (name == "prim::Print" || name == "aten::warn" || name == "aten::warnings.warn")
    return Answer(Value(None{}));
  if ((name == "aten::Bool" || name == "aten::__not__") && positional.size() == 1 &&
      positional[0].tensor() == nullptr) {
    LAN_TRY(const std::optional<bool> holds, truth(positional[0]));
    if (!holds) return Answer(Value(Unknown{}));
    return Answer(Value::of_bool(name == "aten::Bool" ? *holds : !*holds));
  }
  return Answer();
}

Status Evaluator::upgrade(std::string_view name, CallArguments& arguments) {
  const auto has = [&](std::string_view keyword) {
    return std::any_of(arguments.keywords.begin(), arguments.keywords.end(),
                       [&](const auto& k) { return k.first == keyword; });
  };
  auto& positional = arguments.positional;
  if (version_ < 4 && (name == "aten::div" || name == "aten::div_") && positional.size() == 2 &&
      !has("rounding_mode")) {
    const bool tensors = positional[0].tensor() || positional[1].tensor();
    if (tensors && whole_numbers(positional[0]) && whole_numbers(positional[1])) {
      arguments.keywords.emplace_back("rounding_mode", Value(std::string("trunc")));
    }
  }
  if (version_ < 5 && name == "aten::full" && positional.size() >= 2 &&
      whole_numbers(positional[1]) && !positional[1].tensor()) {
    const bool no_dtype =
        std::none_of(arguments.keywords.begin(), arguments.keywords.end(),
                     [](const auto& k) { return k.first == "dtype" && !k.second.is_none(); });
    if (no_dtype) {
      double number = 0;
      if (const Dim* integer = positional[1].integer()) {
        LAN_TRY(const int64_t known, lowering_.concrete(*integer));
        number = static_cast<double>(known);
      } else {
        number = *positional[1].flag() ? 1 : 0;
      }
      positional[1] = Value::of_double(number);
    }
  }
  const bool steps =
      (version_ < 8 && name == "aten::linspace") || (version_ < 9 && name == "aten::logspace");
  if (steps && positional.size() == 3 && positional[2].is_none()) positional[2] = Value(Dim(100));
  return ok();
}

Result<Value> Evaluator::write_result(const Value& self, const Value& result) {
  const TensorRef target = self.tensor();
  TensorRef source = result.tensor();
  if (!target || !source || source == target) return self;
  if (source->root == target->root && source->base) {
    // t_, squeeze_ and the like: the same memory under other dims. The view keeps what it was made
    // of.
    if (source->base == target) source->base = std::make_shared<SymTensor>(*target);
    *target = *source;
    return self;
  }
  if (is_complex(target->dtype) != is_complex(source->dtype))
    return lowering_.error(ErrorCode::kInvalidInput, "a result of another kind than the tensor that it is written to");
  LAN_TRY(const ValueId value, lowering_.read(source));
  return lowering_.write(target, value);
}

Result<Value> Evaluator::run_operator(std::string_view name, std::span<const Operator> overloads,
                                      const CallArguments& arguments) {
  Match found = match(overloads, arguments);
  if (!found.op) return missing("no form of " + call_text(name, arguments));
  const AtenRow& row = *found.op->row;
  auto converted = convert(lowering_, std::move(found));
  Result<Value> result =
      converted ? row.lower(lowering_, *converted) : Result<Value>(std::move(converted).error());
  if (result) {
    LAN_OK(charge(*result));
    return result;
  }
  Error failed = std::move(result).error();
  if (failed.code == ErrorCode::kUnsupported) {
    return missing(std::string(name) + ": " + failed.message);
  }
  if (failed.where.empty()) failed.where = place();
  return failed;
}

Result<Value> Evaluator::call_operator(std::string_view name, CallArguments arguments) {
  lowering_.symbols.asked_unknown = false;
  if (holds_unknown(arguments)) {
    const bool ours = name.starts_with("prim::") || has_operator(name) || is_quantized_operator(name) || name == "aten::warn" ||
                      name == "aten::wait";
    return ours ? Value(Unknown{}) : missing(std::string(name));
  }
  LAN_OK(upgrade(name, arguments));
  LAN_TRY(std::optional<Value> known, built_in(name, arguments));
  if (known) return *std::move(known);
  LAN_TRY(std::optional<Value> quantized, call_quantized(name, arguments));
  if (quantized) return *std::move(quantized);
  LAN_TRY(std::optional<Value> complex, call_complex(name, arguments));
  if (complex) return *std::move(complex);

  std::span<const Operator> overloads = operators_named(name);
  if (overloads.empty() && name.starts_with("aten::special_")) {
    // torch.special has most of its functions under their plain names too.
    const std::string plain = "aten::" + std::string(name.substr(14));
    if (plain == "aten::gammaln") return call_operator("aten::lgamma", std::move(arguments));
    if (plain == "aten::psi") return call_operator("aten::digamma", std::move(arguments));
    if (has_operator(plain)) return call_operator(plain, std::move(arguments));
  }
  if (!overloads.empty() && match(overloads, arguments).op)
    return run_operator(name, overloads, arguments);

  // The in-place form of a functional row.
  if (name.ends_with('_') && !name.ends_with("__") && !arguments.positional.empty() &&
      arguments.positional[0].tensor()) {
    const std::string_view base = name.substr(0, name.size() - 1);
    if (const auto functional = operators_named(base); !functional.empty()) {
      LAN_TRY(Value result, run_operator(base, functional, arguments));
      if (result.is_unknown()) return result;
      return write_result(arguments.positional[0], result);
    }
  }
  // `out=`: the result goes into a tensor that is there.
  const auto out = std::find_if(arguments.keywords.begin(), arguments.keywords.end(),
                                [](const auto& keyword) { return keyword.first == "out"; });
  if (out != arguments.keywords.end() && out->second.tensor() && !overloads.empty()) {
    const Value target = out->second;
    arguments.keywords.erase(out);
    LAN_TRY(const Value result, run_operator(name, overloads, arguments));
    if (result.is_unknown()) return result;
    return write_result(target, result);
  }
  if (overloads.empty()) return missing(std::string(name));
  return run_operator(name, overloads, arguments);
}

}  // namespace lanthorn::script
