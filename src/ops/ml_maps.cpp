// OPS: ml_zip_map ml_cast_map ml_dict_vectorizer
// Maps, which are two arrays: keys and values.
// https://onnx.ai/onnx/operators/onnx_aionnxml_ZipMap.html and its kin

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "ops/ml_scores_shared.h"
#include "ops/numbers_shared.h"
#include "ops/text_lists_shared.h"
#include "ops/value_types.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

// The keys that a map's attribute names.
Tensor keys_of(const Attributes& a, std::string_view strings, std::string_view numbers) {
  const std::vector<std::string>& texts = text_list(a, strings);
  if (texts.empty()) return Tensor::of_ints(a.ints(numbers));
  return Tensor::of_strings({static_cast<int64_t>(texts.size())}, texts);
}

Status infer_zip(InferContext& c) {
  const Tensor keys = keys_of(c.attributes(), "classlabels_strings", "classlabels_int64s");
  const ValueType& input = c.input(0);
  if (input.kind == ValueType::Kind::kTensor && input.ranked) {
    LAN_OK(require_rows(c));
    if (!may_equal(input.dims.back(), Dim(keys.count()))) {
      return shape_error(input.dims.back().text() + " columns for " + std::to_string(keys.count()) +
                         " keys");
    }
  }
  ValueType map{.kind = ValueType::Kind::kMap, .dtype = keys.dtype()};
  map.element = std::make_shared<const ValueType>(ValueType::tensor(DType::kF32, {}));
  c.set_output(0, sequence_of(std::move(map)));
  return ok();
}

Status run_zip(const RunContext& c) {
  const Tensor keys = keys_of(c.attributes(), "classlabels_strings", "classlabels_int64s");
  if (c.input(0).rank() < 1 || c.input(0).rank() > 2 || c.input(0).shape.back() != keys.count()) {
    return shape_error("the columns do not fit the keys");
  }
  const auto numbers = c.input(0).as<float>();
  const auto width = static_cast<size_t>(keys.count());
  const size_t rows = c.input(0).rank() == 1 ? 1 : static_cast<size_t>(c.input(0).shape[0]);
  Value::Sequence maps;
  for (size_t i = 0; i < rows; ++i) {
    maps.push_back(
        Value::map({{Value(keys), Value(Tensor::of_floats(numbers.subspan(i * width, width)))}}));
  }
  c.set_output_value(0, Value::sequence(std::move(maps)));
  return ok();
}

// Keys and values of a map as contiguous arrays of the same length.
struct Entries {
  Tensor keys, values;
  static Result<Entries> of(const Value& value) {
    const Value::Map* map = value.map();
    if (!map) return shape_error("the input is no map");
    Entries made;
    if (map->empty()) return made;
    const Tensor *keys = map->front().first.tensor(), *values = map->front().second.tensor();
    if (map->size() != 1 || !keys || !values || keys->rank() != 1 || values->rank() != 1 ||
        keys->count() != values->count()) {
      return shape_error("the map's keys and values do not fit");
    }
    LAN_TRY(made.keys, keys->contiguous());
    LAN_TRY(made.values, values->contiguous());
    return made;
  }
};

DType cast_target(const Attributes& a) {
  const std::string_view text = a.text("cast_to", "TO_FLOAT");
  return text == "TO_STRING" ? DType::kString : text == "TO_INT64" ? DType::kI64 : DType::kF32;
}

Status infer_cast(InferContext& c) {
  const bool sparse = c.attributes().text("map_form", "DENSE") == "SPARSE";
  const int64_t size = c.attributes().integer("max_map", 1);
  if (sparse && size < 0) return attribute_error("max_map", "it is negative");
  c.set_output(0, cast_target(c.attributes()), Dims{Dim(1), sparse ? Dim(size) : Dim::unknown()});
  return ok();
}

// One number or string as the target's type has it.
Status store_cast(const Tensor& from, int64_t at, Tensor& to, int64_t place) {
  const bool text_from = from.dtype() == DType::kString, text_to = to.dtype() == DType::kString;
  if (text_from == text_to && !text_to) {
    LAN_TRY(const Tensor one, slice_of(from, 0, at));
    LAN_TRY(const Tensor cast, one.cast(to.dtype()));
    std::memcpy(element_at(to.dtype(), to.mutable_data(), place), cast.data(),
                dtype_bytes(to.dtype()));
    return ok();
  }
  std::string text;
  if (text_from)
    text = from.as<std::string>()[static_cast<size_t>(at)];
  else
    text =
        std::to_string(from.to_doubles().value_or(std::vector<double>{0})[static_cast<size_t>(at)]);
  if (text_to) {
    to.mutable_as<std::string>()[static_cast<size_t>(place)] = std::move(text);
  } else if (to.dtype() == DType::kF32) {
    to.mutable_as<float>()[static_cast<size_t>(place)] = std::strtof(text.c_str(), nullptr);
  } else {
    to.mutable_as<int64_t>()[static_cast<size_t>(place)] = std::strtoll(text.c_str(), nullptr, 10);
  }
  return ok();
}

Status run_cast(const RunContext& c) {
  LAN_TRY(const Entries entries, Entries::of(c.input_value(0)));
  const bool sparse = c.attributes().text("map_form", "DENSE") == "SPARSE";
  const std::vector<int64_t> keys = entries.keys.defined()
                                        ? entries.keys.to_ints().value_or(std::vector<int64_t>{})
                                        : std::vector<int64_t>{};
  if (entries.keys.defined() && static_cast<int64_t>(keys.size()) != entries.keys.count()) {
    return shape_error("the keys must be whole numbers");
  }
  const int64_t width =
      sparse ? c.attributes().integer("max_map", 1) : static_cast<int64_t>(keys.size());
  LAN_TRY(Tensor to, Tensor::allocate(cast_target(c.attributes()), {1, width}));
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return keys[a] < keys[b]; });
  for (size_t i = 0; i < order.size(); ++i) {
    const int64_t place = sparse ? keys[order[i]] : static_cast<int64_t>(i);
    if (place < 0 || place >= width)
      return shape_error("key " + std::to_string(place) + " has no place");
    LAN_OK(store_cast(entries.values, static_cast<int64_t>(order[i]), to, place));
  }
  c.set_output_value(0, std::move(to));
  return ok();
}

Status infer_dict(InferContext& c) {
  const Tensor vocabulary = keys_of(c.attributes(), "string_vocabulary", "int64_vocabulary");
  const DType values = element_of(c.input(0)).dtype;
  c.set_output(0, values, Dims{Dim(1), Dim(vocabulary.count())});
  if (values == DType::kUndefined) c.set_output(0, unknown_type());
  return ok();
}

Status run_dict(const RunContext& c) {
  LAN_TRY(const Entries entries, Entries::of(c.input_value(0)));
  const Tensor vocabulary = keys_of(c.attributes(), "string_vocabulary", "int64_vocabulary");
  const DType dtype = entries.values.defined() ? entries.values.dtype() : DType::kF32;
  LAN_TRY(Tensor to, Tensor::allocate(dtype, {1, vocabulary.count()}));
  const int64_t count = entries.keys.defined() ? entries.keys.count() : 0;
  if (count > 0 && entries.keys.dtype() != vocabulary.dtype()) {
    return shape_error("the keys are not of the vocabulary's type");
  }
  std::byte* target = to.mutable_data();
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t k = 0; k < vocabulary.count(); ++k) {
      const auto a = static_cast<size_t>(i), b = static_cast<size_t>(k);
      const bool same = vocabulary.dtype() == DType::kString
                            ? entries.keys.as<std::string>()[a] == vocabulary.as<std::string>()[b]
                            : entries.keys.as<int64_t>()[a] == vocabulary.as<int64_t>()[b];
      if (!same) continue;
      copy_elements(dtype, element_at(dtype, entries.values.data(), i),
                    element_at(dtype, target, k), 1);
    }
  }
  c.set_output_value(0, std::move(to));
  return ok();
}

}  // namespace

extern constinit const OpDef op_ml_zip_map{
    .name = "ZipMap",
    .domain = kMlDomain,
    .inputs = {{"X", type_bit(DType::kF32)}},
    .outputs = {{"Z", kAnyType}},
    .infer = infer_zip,
    .reference = run_zip,
    .values = true,
};

extern constinit const OpDef op_ml_cast_map{
    .name = "CastMap",
    .domain = kMlDomain,
    .inputs = {{"X", kAnyType}},
    .outputs = {{"Y", kAnyType}},
    .infer = infer_cast,
    .reference = run_cast,
    .values = true,
};

extern constinit const OpDef op_ml_dict_vectorizer{
    .name = "DictVectorizer",
    .domain = kMlDomain,
    .inputs = {{"X", kAnyType}},
    .outputs = {{"Y", kAnyType}},
    .infer = infer_dict,
    .reference = run_dict,
    .values = true,
};

}  // namespace lanthorn
