#include "script/quantized_operators.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "script/dynamic_recurrent.h"
#include "script/observe.h"
#include "script/packed_parameters.h"

namespace lanthorn::script {

Value argument_at(const CallArguments& arguments, size_t position, std::string_view name) {
  if (position < arguments.positional.size()) return arguments.positional[position];
  for (const auto& [key, value] : arguments.keywords) {
    if (key == name) return value;
  }
  return Value(None{});
}

Result<std::vector<double>> known_numbers(Lowering& lowering, const Value& value) {
  if (const auto number = number_of(value)) return std::vector<double>{*number};
  if (const TensorRef tensor = value.tensor()) {
    LAN_TRY(const ValueId id, lowering.read(tensor));
    LAN_TRY(const Tensor* known, observed(lowering, id));
    if (known) {
      LAN_TRY(const Tensor plain, known->contiguous());
      if (auto numbers = plain.to_doubles()) return *std::move(numbers);
      if (const auto ints = plain.to_ints()) return std::vector<double>(ints->begin(), ints->end());
    }
  }
  return lowering.error(ErrorCode::kUnsupported, "a scale or zero point that depends on the data of a tensor");
}

namespace {

struct Context {
  std::string_view name;
  const CallArguments& arguments;
  Lowering& lowering;
  const CallOperator& call;

  Value at(size_t position, std::string_view keyword = "") const { return argument_at(arguments, position, keyword); }
  Result<Rounding> rounding(size_t position, DType dtype) const {
    Rounding made{dtype, {}, {}, -1};
    LAN_TRY(made.scales, known_numbers(lowering, at(position, "scale")));
    LAN_TRY(made.zero_points, known_numbers(lowering, at(position + 1, "zero_point")));
    made.scales.resize(1);
    made.zero_points.resize(1);
    return made;
  }
};

/// A float tensor in place of a quantized one.
Result<Value> plain(Lowering& lowering, const Value& value) {
  if (is_quantized_tensor(value)) {
    LAN_TRY(TensorRef numbers, numbers_of(lowering, value));
    return Value(std::move(numbers));
  }
  if (const auto list = value.list(); list && std::any_of(list->items.begin(), list->items.end(), is_quantized_tensor)) {
    std::vector<Value> items;
    for (const Value& item : list->items) {
      LAN_TRY(Value one, plain(lowering, item));
      items.push_back(std::move(one));
    }
    return make_list(std::move(items), "Tensor");
  }
  return value;
}

DType type_of_operand(const Value& value) {
  if (is_quantized_tensor(value)) return rounding_of(value).dtype;
  const auto list = value.list();
  return list && !list->items.empty() && is_quantized_tensor(list->items[0]) ? rounding_of(list->items[0]).dtype : DType::kQU8;
}

Result<Value> quantize(Lowering& lowering, const Value& numbers, const Rounding& rounding) {
  if (!numbers.tensor()) return numbers;  // unknown
  Emitter e(lowering);
  const ValueId made = rounded(e, e.read(numbers.tensor()), rounding);
  if (e.failed()) return e.error();
  return make_quantized(lowering.tensor(made), rounding);
}

/// quantized::NAME(arguments.., scale, zero point, more..) is aten::OP of the floats, rounded.
struct Simple {
  std::string_view name, op;
  size_t scale;  // where the scale stands
  size_t taken;  // how many arguments before it the other operator takes
  bool relu = false;
};
constexpr Simple kSimple[] = {
    {"add", "add", 2, 2},
    {"add_relu", "add", 2, 2, true},
    {"mul", "mul", 2, 2},
    {"mul_relu", "mul", 2, 2, true},
    {"matmul", "matmul", 2, 2},
    {"cat", "cat", 2, 2},
    {"cat_relu", "cat", 2, 2, true},
    {"hardswish", "hardswish", 1, 1},
    {"sigmoid", "sigmoid", 1, 1},
    {"elu", "elu", 1, 1},
    {"celu", "celu", 1, 1},
    {"leaky_relu", "leaky_relu", 3, 2},
    {"softmax", "softmax", 2, 2},
    {"layer_norm", "layer_norm", 5, 5},
    {"group_norm", "group_norm", 5, 5},
    {"prelu", "prelu", 2, 2},
};

Result<Value> simple(const Context& c, const Simple& rule) {
  CallArguments floats;
  for (size_t i = 0; i < rule.taken; ++i) {
    LAN_TRY(Value one, plain(c.lowering, c.at(i)));
    floats.positional.push_back(std::move(one));
  }
  for (size_t i = rule.scale + 2; i < c.arguments.positional.size(); ++i) floats.positional.push_back(c.arguments.positional[i]);
  LAN_TRY(const Rounding rounding, c.rounding(rule.scale, type_of_operand(c.at(0))));
  LAN_TRY(Value made, c.call("aten::" + std::string(rule.op), std::move(floats)));
  if (rule.relu && made.tensor()) {
    LAN_TRY(made, c.call("aten::relu", {{made}, {}}));
  }
  return quantize(c.lowering, made, rounding);
}

/// The layer of a convolution or a product with packed weights, on floats.
Result<Value> layer(const Context& c, const Value& x, const PackedWeights& weights, bool linear) {
  LAN_TRY(const Value numbers, plain(c.lowering, x));
  LAN_TRY(const Value weight, plain(c.lowering, weights.weight));
  if (linear) return c.call("aten::linear", {{numbers, weight, weights.bias}, {}});
  const std::string rank = std::to_string(weights.stride.size());
  if (weights.transposed) {
    return c.call("aten::conv_transpose" + rank + "d",
                  {{numbers, weight, weights.bias, make_ints(weights.stride), make_ints(weights.padding),
                    make_ints(weights.output_padding), Value(weights.groups), make_ints(weights.dilation)},
                   {}});
  }
  return c.call("aten::conv" + rank + "d", {{numbers, weight, weights.bias, make_ints(weights.stride), make_ints(weights.padding),
                                             make_ints(weights.dilation), Value(weights.groups)},
                                            {}});
}

/// conv1d holds its weights for two dimensions where the file was written by another engine.
Status fit_rank(const Context& c, const Value& x, PackedWeights& weights) {
  LAN_TRY(const Value numbers, plain(c.lowering, x));
  LAN_TRY(const Value weight, plain(c.lowering, weights.weight));
  if (!numbers.tensor() || !weight.tensor() || numbers.tensor()->dims.size() != 3) return ok();
  for (Dims* list : {&weights.stride, &weights.padding, &weights.dilation, &weights.output_padding}) {
    if (list->size() == 2) list->erase(list->begin());
  }
  if (weight.tensor()->dims.size() == 4) {
    LAN_TRY(weights.weight, c.call("aten::squeeze", {{weight, Value(Dim(2))}, {}}));
  }
  return ok();
}

Result<Value> packed_layer(const Context& c, bool linear, bool relu) {
  LAN_TRY(PackedWeights weights, unpacked(c.lowering, c.at(1)));
  if (!linear) LAN_OK(fit_rank(c, c.at(0), weights));
  LAN_TRY(Value made, layer(c, c.at(0), weights, linear));
  if (relu && made.tensor()) {
    LAN_TRY(made, c.call("aten::relu", {{made}, {}}));
  }
  LAN_TRY(const Rounding rounding, c.rounding(2, type_of_operand(c.at(0))));
  return quantize(c.lowering, made, rounding);
}

Result<Value> dynamic_layer(const Context& c, bool linear, bool relu, bool half) {
  LAN_TRY(PackedWeights weights, unpacked(c.lowering, c.at(1)));
  Value x = c.at(0);
  if (half) {
    LAN_TRY(const Value weight, plain(c.lowering, weights.weight));
    LAN_TRY(const Value narrow, c.call("aten::to", {{weight, Value(Dim(5))}, {}}));
    LAN_TRY(weights.weight, c.call("aten::to", {{narrow, Value(Dim(6))}, {}}));
  } else {
    const Value reduce = c.at(2, "reduce_range");
    if (!x.tensor()) return x;
    Emitter e(c.lowering);
    LAN_TRY(x, e.result(rounded_by_range(e, e.read(x.tensor()), reduce.flag() && *reduce.flag())));
  }
  if (!linear) LAN_OK(fit_rank(c, x, weights));
  LAN_TRY(Value made, layer(c, x, weights, linear));
  if (relu && made.tensor()) return c.call("aten::relu", {{made}, {}});
  return made;
}

/// A layer of XNNPACK: floats, and bounds for the result.
Result<Value> bounded_layer(const Context& c, bool linear) {
  LAN_TRY(const PackedWeights weights, unpacked(c.lowering, c.at(1)));
  LAN_TRY(Value made, layer(c, c.at(0), weights, linear));
  if (!made.tensor() || (weights.low.is_none() && weights.high.is_none())) return made;
  return c.call("aten::clamp", {{made, weights.low, weights.high}, {}});
}

Result<Value> prepack_convolution(const Context& c, bool transposed) {
  PackedWeights weights;
  weights.weight = c.at(0, "weight");
  weights.bias = c.at(1, "bias");
  const auto ints = [&](size_t i, std::string_view name) {
    Dims dims;
    const Value value = c.at(i, name);
    if (const auto list = value.list()) {
      for (const Value& item : list->items) {
        if (item.integer()) dims.push_back(*item.integer());
      }
    }
    return dims;
  };
  weights.stride = ints(2, "stride");
  weights.padding = ints(3, "padding");
  if (transposed) weights.output_padding = ints(4, "output_padding");
  weights.dilation = ints(transposed ? 5 : 4, "dilation");
  const Value groups = c.at(transposed ? 6 : 5, "groups");
  if (groups.integer()) weights.groups = *groups.integer();
  weights.transposed = transposed;
  return packed(weights, "__torch__.torch.classes.quantized.ConvPackedParamsBase");
}

Result<Value> unpack(const Context& c) {
  LAN_TRY(const PackedWeights weights, unpacked(c.lowering, c.at(0)));
  if (c.name.starts_with("quantized::embedding")) return weights.weight;
  return make_tuple({weights.weight, weights.bias});
}

// (packed, indices, ..) and (packed, indices, offsets, scale_grad, mode, pruned, per_sample_weights, mapping, last)
Result<Value> embedding(const Context& c, bool bag) {
  LAN_TRY(const PackedWeights weights, unpacked(c.lowering, c.at(0)));
  LAN_TRY(const Value table, plain(c.lowering, weights.weight));
  const Value indices = c.at(1, "indices");
  if (!bag) return c.call("aten::embedding", {{table, indices}, {}});
  Value offsets = c.at(2, "offsets"), flat = indices, mode = c.at(4, "mode"), last = c.at(8, "include_last_offset");
  const Value pruned = c.at(5, "pruned_weights");
  if (pruned.flag() && *pruned.flag()) return c.lowering.error(ErrorCode::kUnsupported, "an embedding bag of pruned weights");
  Value per_sample = c.at(6, "per_sample_weights");
  if (indices.tensor() && indices.tensor()->dims.size() == 2) {
    const Dims& dims = indices.tensor()->dims;
    LAN_TRY(flat, c.call("aten::reshape", {{indices, make_ints(Dims{Dim(-1)})}, {}}));
    LAN_TRY(offsets, c.call("aten::arange", {{Value(Dim(0)), Value(dims[0] * dims[1]), Value(dims[1])}, {}}));
  }
  if (mode.is_none()) mode = Value(Dim(0));
  if (last.is_none()) last = Value::of_bool(false);
  LAN_TRY(const Value made, c.call("aten::embedding_bag", {{table, flat, offsets, Value::of_bool(false), mode, Value::of_bool(false), per_sample, last}, {}}));
  return made.tuple() ? made.tuple()->items[0] : made;
}

/// quantized_lstm and quantized_gru, of floats: their weights as the float operators list them.
Result<Value> recurrent(const Context& c, const std::string& op) {
  LAN_TRY(auto stepped, dynamic_recurrent(c.lowering, c.arguments, op == "aten::lstm"));
  if (stepped) return *std::move(stepped);
  CallArguments floats;
  const auto& given = c.arguments.positional;
  bool biases = true, found = false;
  for (const Value& value : given) {
    const auto list = value.list();
    const bool cells = !found && list && !list->items.empty() && list->items[0].object();
    if (!cells) {
      floats.positional.push_back(value);
      continue;
    }
    found = true;
    std::vector<Value> params;
    for (const Value& cell : list->items) {
      LAN_TRY(const auto both, unpacked_cell(c.lowering, cell));
      for (const PackedWeights& one : both) {
        LAN_TRY(Value weight, plain(c.lowering, one.weight));
        params.push_back(std::move(weight));
      }
      biases = !both[0].bias.is_none();
      if (biases) params.insert(params.end(), {both[0].bias, both[1].bias});
    }
    floats.positional.push_back(make_list(std::move(params), "Tensor"));
  }
  if (!found) return c.lowering.error(ErrorCode::kUnsupported, "a quantized recurrent layer without cells");
  return c.call(op, std::move(floats));
}

// (self, scale, zero_point, dtype) and (self, scales, zero_points, axis, dtype)
Result<Value> make_quantized_of(const Context& c, bool per_channel) {
  const Value x = c.at(0, "self");
  Rounding rounding;
  LAN_TRY(rounding.scales, known_numbers(c.lowering, c.at(1, per_channel ? "scales" : "scale")));
  LAN_TRY(rounding.zero_points, known_numbers(c.lowering, c.at(2, per_channel ? "zero_points" : "zero_point")));
  if (per_channel) {
    const Value axis = c.at(3, "axis");
    if (!axis.integer() || !x.tensor()) return c.lowering.error(ErrorCode::kInvalidInput, "a quantization without an axis");
    LAN_TRY(rounding.axis, axis_of(c.lowering, *axis.integer(), x.tensor()->dims.size()));
  }
  const Value code = c.at(per_channel ? 4 : 3, "dtype");
  if (code.integer() && code.integer()->is_known()) rounding.dtype = dtype_of_scalar_type(code.integer()->value()).value_or(DType::kQU8);
  return quantize(c.lowering, x, rounding);
}

// (qa, scalar): the scale stays and the zero point moves, as far as the integers reach
Result<Value> add_scalar(const Context& c, bool relu) {
  Rounding rounding = rounding_of(c.at(0));
  LAN_TRY(const std::vector<double> by, known_numbers(c.lowering, c.at(1)));
  const bool is_signed = rounding.dtype == DType::kQI8;
  const double low = is_signed ? -128 : 0, high = is_signed ? 127 : 255;
  double& scale = rounding.scales.at(0);
  double& zero = rounding.zero_points.at(0);
  const double moved = zero - std::nearbyint(by.at(0) / scale);
  if (moved < low) {
    scale *= (high - moved) / (high - low);
    zero = low;
  } else if (moved > high) {
    scale *= (moved - low) / (high - low);
    zero = high;
  } else {
    zero = moved;
  }
  LAN_TRY(const Value numbers, plain(c.lowering, c.at(0)));
  LAN_TRY(Value made, c.call("aten::add", {{numbers, Value::of_double(by.at(0))}, {}}));
  if (relu) {
    LAN_TRY(made, c.call("aten::relu", {{made}, {}}));
  }
  return quantize(c.lowering, made, rounding);
}

Result<Value> mul_scalar(const Context& c, bool relu) {
  Rounding rounding = rounding_of(c.at(0));
  LAN_TRY(const std::vector<double> by, known_numbers(c.lowering, c.at(1)));
  const bool is_signed = rounding.dtype == DType::kQI8;
  if (by.at(0) == 0) {
    rounding.scales.at(0) = 1;
    rounding.zero_points.at(0) = 0;
  } else {
    rounding.scales.at(0) *= std::fabs(by.at(0));
    if (by.at(0) < 0) rounding.zero_points.at(0) = (is_signed ? -1 : 255) - rounding.zero_points.at(0);
  }
  LAN_TRY(const Value numbers, plain(c.lowering, c.at(0)));
  LAN_TRY(Value made, c.call("aten::mul", {{numbers, Value::of_double(by.at(0))}, {}}));
  if (relu) {
    LAN_TRY(made, c.call("aten::relu", {{made}, {}}));
  }
  return quantize(c.lowering, made, rounding);
}

// (qx, weight, bias, mean, var, eps, scale, zero_point), weight and bias perhaps None
Result<Value> batch_norm(const Context& c, bool relu) {
  LAN_TRY(const Value numbers, plain(c.lowering, c.at(0)));
  LAN_TRY(Value made, c.call("aten::batch_norm", {{numbers, c.at(1), c.at(2), c.at(3), c.at(4), Value::of_bool(false),
                                                    Value::of_double(0), c.at(5), Value::of_bool(false)},
                                                   {}}));
  if (relu && made.tensor()) {
    LAN_TRY(made, c.call("aten::relu", {{made}, {}}));
  }
  LAN_TRY(const Rounding rounding, c.rounding(6, type_of_operand(c.at(0))));
  return quantize(c.lowering, made, rounding);
}

// (input, weight, bias, eps, scale, zero_point)
Result<Value> instance_norm(const Context& c) {
  LAN_TRY(const Value numbers, plain(c.lowering, c.at(0)));
  LAN_TRY(const Value made, c.call("aten::instance_norm", {{numbers, c.at(1), c.at(2), Value(None{}), Value(None{}), Value::of_bool(true),
                                                             Value::of_double(0), c.at(3), Value::of_bool(false)},
                                                            {}}));
  LAN_TRY(const Rounding rounding, c.rounding(4, type_of_operand(c.at(0))));
  return quantize(c.lowering, made, rounding);
}

using Handler = Result<Value> (*)(const Context&);
struct Row {
  std::string_view name;
  Handler run;
};
constexpr Row kRows[] = {
    {"aten::quantize_per_tensor", [](const Context& c) { return make_quantized_of(c, false); }},
    {"aten::quantize_per_channel", [](const Context& c) { return make_quantized_of(c, true); }},
    {"aten::quantized_lstm", [](const Context& c) { return recurrent(c, "aten::lstm"); }},
    {"aten::quantized_gru", [](const Context& c) { return recurrent(c, "aten::gru"); }},
    {"quantized::linear", [](const Context& c) { return packed_layer(c, true, false); }},
    {"quantized::linear_relu", [](const Context& c) { return packed_layer(c, true, true); }},
    {"quantized::conv1d", [](const Context& c) { return packed_layer(c, false, false); }},
    {"quantized::conv1d_relu", [](const Context& c) { return packed_layer(c, false, true); }},
    {"quantized::conv2d", [](const Context& c) { return packed_layer(c, false, false); }},
    {"quantized::conv2d_relu", [](const Context& c) { return packed_layer(c, false, true); }},
    {"quantized::conv3d", [](const Context& c) { return packed_layer(c, false, false); }},
    {"quantized::conv3d_relu", [](const Context& c) { return packed_layer(c, false, true); }},
    {"quantized::conv_transpose1d", [](const Context& c) { return packed_layer(c, false, false); }},
    {"quantized::conv_transpose2d", [](const Context& c) { return packed_layer(c, false, false); }},
    {"quantized::conv_transpose3d", [](const Context& c) { return packed_layer(c, false, false); }},
    {"quantized::linear_dynamic", [](const Context& c) { return dynamic_layer(c, true, false, false); }},
    {"quantized::linear_relu_dynamic", [](const Context& c) { return dynamic_layer(c, true, true, false); }},
    {"quantized::linear_dynamic_fp16", [](const Context& c) { return dynamic_layer(c, true, false, true); }},
    {"quantized::linear_relu_dynamic_fp16", [](const Context& c) { return dynamic_layer(c, true, true, true); }},
    {"quantized::conv1d_dynamic", [](const Context& c) { return dynamic_layer(c, false, false, false); }},
    {"quantized::conv2d_dynamic", [](const Context& c) { return dynamic_layer(c, false, false, false); }},
    {"quantized::conv3d_dynamic", [](const Context& c) { return dynamic_layer(c, false, false, false); }},
    {"quantized::conv_transpose2d_dynamic", [](const Context& c) { return dynamic_layer(c, false, false, false); }},
    {"prepacked::conv2d_clamp_run", [](const Context& c) { return bounded_layer(c, false); }},
    {"prepacked::conv2d_transpose_clamp_run", [](const Context& c) { return bounded_layer(c, false); }},
    {"prepacked::linear_clamp_run", [](const Context& c) { return bounded_layer(c, true); }},
    {"quantized::conv1d_prepack", [](const Context& c) { return prepack_convolution(c, false); }},
    {"quantized::conv2d_prepack", [](const Context& c) { return prepack_convolution(c, false); }},
    {"quantized::conv3d_prepack", [](const Context& c) { return prepack_convolution(c, false); }},
    {"quantized::conv_transpose1d_prepack", [](const Context& c) { return prepack_convolution(c, true); }},
    {"quantized::conv_transpose2d_prepack", [](const Context& c) { return prepack_convolution(c, true); }},
    {"quantized::conv_transpose3d_prepack", [](const Context& c) { return prepack_convolution(c, true); }},
    {"quantized::linear_prepack", [](const Context& c) -> Result<Value> {
       return packed({.weight = c.at(0, "W"), .bias = c.at(1, "B")}, "__torch__.torch.classes.quantized.LinearPackedParamsBase");
     }},
    {"quantized::linear_prepack_fp16", [](const Context& c) -> Result<Value> {
       return packed({.weight = c.at(0, "W"), .bias = c.at(1, "B")}, "__torch__.torch.classes.quantized.LinearPackedParamsBase");
     }},
    {"quantized::embedding_bag_prepack", [](const Context& c) -> Result<Value> {
       return packed({.weight = c.at(0, "weight"), .bias = Value(None{})}, "__torch__.torch.classes.quantized.EmbeddingPackedParamsBase");
     }},
    {"quantized::linear_unpack", unpack},
    {"quantized::linear_unpack_fp16", unpack},
    {"quantized::conv1d_unpack", unpack},
    {"quantized::conv2d_unpack", unpack},
    {"quantized::conv3d_unpack", unpack},
    {"quantized::embedding_bag_unpack", unpack},
    {"quantized::embedding_byte", [](const Context& c) { return embedding(c, false); }},
    {"quantized::embedding_4bit", [](const Context& c) { return embedding(c, false); }},
    {"quantized::embedding_bag_byte", [](const Context& c) { return embedding(c, true); }},
    {"quantized::embedding_bag_4bit", [](const Context& c) { return embedding(c, true); }},
    {"quantized::add_scalar", [](const Context& c) { return add_scalar(c, false); }},
    {"quantized::add_scalar_relu", [](const Context& c) { return add_scalar(c, true); }},
    {"quantized::mul_scalar", [](const Context& c) { return mul_scalar(c, false); }},
    {"quantized::mul_scalar_relu", [](const Context& c) { return mul_scalar(c, true); }},
    {"quantized::batch_norm", [](const Context& c) { return batch_norm(c, false); }},
    {"quantized::batch_norm1d", [](const Context& c) { return batch_norm(c, false); }},
    {"quantized::batch_norm2d", [](const Context& c) { return batch_norm(c, false); }},
    {"quantized::batch_norm3d", [](const Context& c) { return batch_norm(c, false); }},
    {"quantized::batch_norm_relu", [](const Context& c) { return batch_norm(c, true); }},
    {"quantized::batch_norm1d_relu", [](const Context& c) { return batch_norm(c, true); }},
    {"quantized::batch_norm2d_relu", [](const Context& c) { return batch_norm(c, true); }},
    {"quantized::batch_norm3d_relu", [](const Context& c) { return batch_norm(c, true); }},
    {"quantized::instance_norm", instance_norm},
};

const Row* row_named(std::string_view name) {
  const auto it = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& row) { return row.name == name; });
  return it == std::end(kRows) ? nullptr : it;
}

const Simple* simple_named(std::string_view name) {
  if (!name.starts_with("quantized::")) return nullptr;
  const auto it = std::find_if(std::begin(kSimple), std::end(kSimple), [&](const Simple& rule) { return rule.name == name.substr(11); });
  return it == std::end(kSimple) ? nullptr : it;
}

}  // namespace

bool is_quantized_operator(std::string_view name) { return row_named(name) || simple_named(name); }

Result<std::optional<Value>> run_quantized_operator(std::string_view name, const CallArguments& arguments,
                                                    Lowering& lowering, const CallOperator& call) {
  using Answer = std::optional<Value>;
  const Context context{name, arguments, lowering, call};
  if (const Row* row = row_named(name)) {
    LAN_TRY(Value made, row->run(context));
    return Answer(std::move(made));
  }
  if (const Simple* rule = simple_named(name)) {
    LAN_TRY(Value made, simple(context, *rule));
    return Answer(std::move(made));
  }
  return Answer();
}

}  // namespace lanthorn::script
