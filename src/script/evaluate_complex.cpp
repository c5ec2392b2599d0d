// Operators of complex tensors: by rows of their own, or by the rows of real ones on the two parts.
#include <algorithm>
#include <array>

#include "script/complex_tensor.h"
#include "script/evaluator.h"

namespace lanthorn::script {
namespace {

bool holds_complex(const Value& value) {
  if (value.complex() || is_complex_tensor(value)) return true;
  const auto list = value.list();
  return list && std::any_of(list->items.begin(), list->items.end(), is_complex_tensor);
}

bool is_among(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// What looks at a tensor without its numbers, or as a view of it; and what makes others of its kind.
constexpr std::string_view kNeutral[] = {
    "size", "dim", "numel", "len", "is_complex", "is_floating_point", "device", "is_contiguous", "stride", "is_nonzero", "detach",
    "detach_", "alias", "data", "view", "reshape", "view_as", "reshape_as", "flatten", "ravel", "unflatten", "squeeze", "unsqueeze", "permute",
    "transpose", "t", "numpy_T", "mT", "swapaxes", "swapdims", "movedim", "moveaxis", "expand", "expand_as", "broadcast_to", "select", "slice",
    "narrow", "unbind", "split", "split_with_sizes", "chunk", "unsafe_chunk", "unsafe_split", "tensor_split", "hsplit", "vsplit", "dsplit", "zeros_like", "ones_like",
    "empty_like", "new_zeros", "new_ones", "new_empty", "resolve_conj", "resolve_neg", "requires_grad_", "real", "imag", "conj", "_conj",
    "conj_physical", "_conj_physical", "view_as_real", "view_as_complex", "stft", "istft", "append", "__getitem__", "_set_item", "list", "dict",
    "insert", "extend", "pop", "__contains__", "__is__", "__isnot__", "values", "keys", "items", "copy", "clone", "contiguous", "to", "type_as", "cpu", "cuda",
    "Complex", "ComplexImplicit", "format", "str"};

/// f(a + ib) = f(a) + i f(b)
constexpr std::string_view kByParts[] = {
    "sum", "mean", "cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "flip", "fliplr", "flipud", "roll", "rot90",
    "index", "index_select", "gather", "take", "take_along_dim", "masked_select", "repeat", "tile", "tril", "triu", "diagonal", "diag", "diag_embed",
    "trace", "cumsum", "diff", "repeat_interleave", "unfold", "pixel_shuffle", "scatter", "scatter_add", "index_add",
    "index_put", "constant_pad_nd", "pad", "meshgrid", "broadcast_tensors", "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "masked_scatter"};

/// f(a + ib, c + id) = f(a, c) - f(b, d) + i (f(a, d) + f(b, c))
constexpr std::string_view kBilinear[] = {"matmul", "mm", "bmm", "mv", "dot", "outer", "ger", "einsum", "tensordot", "kron", "inner", "linear"};

/// A tensor of one part; what is real has an imaginary part of zeros.
Result<Value> part(Lowering& lowering, const Value& value, int64_t which) {
  Emitter e(lowering);
  if (const auto list = value.list()) {
    if (list->items.empty() || !list->items[0].tensor()) return value;
    std::vector<Value> items;
    for (const Value& item : list->items) {
      LAN_TRY(Value one, part(lowering, item, which));
      items.push_back(std::move(one));
    }
    return make_list(std::move(items), list->element_type);
  }
  const TensorRef tensor = value.tensor();
  if (!tensor) return value;
  if (is_complex(tensor->dtype)) return e.result(part_of(e, e.read(tensor), which));
  // Indices and masks are no operands.
  if (which == 0 || !is_floating(tensor->dtype)) return value;
  return e.result(e.expand(e.number(0, tensor->dtype), tensor->dims));
}

Result<Value> joined_values(Lowering& lowering, const Value& real, const Value& imaginary) {
  if (real.is_unknown() || imaginary.is_unknown()) return Value(Unknown{});
  if (const auto list = real.list()) {
    std::vector<Value> items;
    for (size_t i = 0; i < list->items.size(); ++i) {
      LAN_TRY(Value one, joined_values(lowering, list->items[i], imaginary.list()->items.at(i)));
      items.push_back(std::move(one));
    }
    return make_list(std::move(items), list->element_type);
  }
  Emitter e(lowering);
  const ValueId parts = joined(e, e.read(real.tensor()), e.read(imaginary.tensor()));
  if (e.failed()) return e.error();
  return Value(as_complex(lowering, parts));
}

}  // namespace

Result<std::optional<Value>> Evaluator::call_complex(std::string_view name, CallArguments& arguments) {
  using Answer = std::optional<Value>;
  const bool complex = std::any_of(arguments.positional.begin(), arguments.positional.end(), holds_complex) ||
                       std::any_of(arguments.keywords.begin(), arguments.keywords.end(),
                                   [](const auto& keyword) { return holds_complex(keyword.second); });
  if (!complex || !name.starts_with("aten::")) return Answer();
  const bool tensors = std::any_of(arguments.positional.begin(), arguments.positional.end(),
                                   [](const Value& v) { return v.tensor() || v.list(); });
  if (!tensors) return Answer();  // numbers
  std::string_view bare = name.substr(6);
  if (is_among(bare, kNeutral) || bare.starts_with("fft_")) return Answer();
  const bool in_place = bare.ends_with('_') && !bare.ends_with("__");
  const std::string own = "complex::" + std::string(bare);
  if (const auto rows = operators_named(own); !rows.empty()) {
    LAN_TRY(Value made, run_operator(own, rows, arguments));
    return Answer(std::move(made));
  }
  if (in_place) bare.remove_suffix(1);
  Value made;
  const std::string functional = "complex::" + std::string(bare);
  if (const auto rows = operators_named(functional); !rows.empty()) {
    LAN_TRY(made, run_operator(functional, rows, arguments));
  } else if (is_among(bare, kByParts)) {
    std::array<Value, 2> results;
    for (int64_t which = 0; which < 2; ++which) {
      CallArguments parts = arguments;
      for (Value& value : parts.positional) {
        LAN_TRY(value, part(lowering_, value, which));
      }
      for (auto& [key, value] : parts.keywords) {
        LAN_TRY(value, part(lowering_, value, which));
      }
      LAN_TRY(results[static_cast<size_t>(which)], call_operator("aten::" + std::string(bare), std::move(parts)));
    }
    LAN_TRY(made, joined_values(lowering_, results[0], results[1]));
  } else if (is_among(bare, kBilinear)) {
    // The operands are the first two tensors, of a list where there is one.
    const auto operands = [](CallArguments& call) {
      std::vector<Value*> found;
      for (Value& value : call.positional) {
        if (value.tensor()) found.push_back(&value);
        if (const auto list = value.list(); list && !list->items.empty() && list->items[0].tensor()) {
          value = make_list(list->items, list->element_type);
          for (Value& item : value.list()->items) found.push_back(&item);
        }
      }
      return found;
    };
    if (operands(arguments).size() != 2) return Answer(missing(std::string(name) + " of complex tensors in this form"));
    const auto product = [&](int64_t left, int64_t right) -> Result<Value> {
      CallArguments parts = arguments;
      const auto found = operands(parts);
      LAN_TRY(*found[0], part(lowering_, *found[0], left));
      LAN_TRY(*found[1], part(lowering_, *found[1], right));
      return call_operator("aten::" + std::string(bare), std::move(parts));
    };
    LAN_TRY(Value ac, product(0, 0));
    LAN_TRY(Value bd, product(1, 1));
    LAN_TRY(Value ad, product(0, 1));
    LAN_TRY(Value bc, product(1, 0));
    LAN_TRY(const Value real, call_operator("aten::sub", {{std::move(ac), std::move(bd)}, {}}));
    LAN_TRY(const Value imaginary, call_operator("aten::add", {{std::move(ad), std::move(bc)}, {}}));
    LAN_TRY(made, joined_values(lowering_, real, imaginary));
  } else {
    return Answer(missing(std::string(name) + " of complex tensors"));
  }
  if (!in_place || made.is_unknown()) return Answer(std::move(made));
  LAN_TRY(Value written, write_result(arguments.positional[0], made));
  return Answer(std::move(written));
}

}  // namespace lanthorn::script
