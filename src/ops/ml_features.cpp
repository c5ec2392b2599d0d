// OPS: ml_array_feature_extractor ml_binarizer ml_feature_vectorizer ml_imputer ml_normalizer
// OPS: ml_one_hot_encoder ml_scaler
// Preparing features: https://onnx.ai/onnx/operators/onnx_aionnxml_Scaler.html and its kin

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "ops/ml_scores_shared.h"
#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"
#include "ops/text_lists_shared.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

Status infer_extractor(InferContext& c) {
  LAN_OK(require_rank(c, 0, 1));
  Dims dims = c.dims(0);
  if (dims.size() == 1) dims.insert(dims.begin(), Dim(1));
  dims.back() = product(c.dims(1));
  c.set_output(0, c.dtype(0), std::move(dims));
  return ok();
}

Status run_extractor(const RunContext& c) {
  const TensorView& from = c.input(0);
  const MutableTensorView& to = c.output(0);
  const std::vector<int64_t> indices = read_ints(c.input(1));
  const int64_t width = from.shape.back();
  for (const int64_t index : indices) {
    if (index < 0 || index >= width) {
      return shape_error("index " + std::to_string(index) + " of " + std::to_string(width) +
                         " features");
    }
  }
  const int64_t rows = count_between(from.shape, 0, from.rank() - 1);
  for (int64_t row = 0, at = 0; row < rows; ++row) {
    for (const int64_t index : indices) {
      copy_elements(from.dtype, element_at(from.dtype, from.data, row * width + index),
                    element_at(to.dtype, to.data, at++), 1);
    }
  }
  return ok();
}

Status run_binarizer(const RunContext& c) {
  const double threshold = c.attributes().real("threshold", 0);
  std::vector<double> x = read_doubles(c.input(0));
  for (double& number : x) number = number > threshold ? 1 : 0;
  write_doubles(c.output(0), x);
  return ok();
}

Status infer_vectorizer(InferContext& c) {
  const std::vector<int64_t> sizes = c.attributes().ints("inputdimensions");
  if (sizes.size() != c.input_count()) {
    return attribute_error("inputdimensions", "it needs one size for each input");
  }
  int64_t width = 0;
  Dim rows(1);
  for (size_t i = 0; i < sizes.size(); ++i) {
    LAN_OK(require_rank(c, i, 1, 2));
    if (sizes[i] < 0 || sizes[i] > int64_t{1} << 24)
      return attribute_error("inputdimensions", "a size is impossible");
    width += sizes[i];
    if (c.rank(i) == 2) rows = c.dims(i)[0];
  }
  c.set_output(0, DType::kF32, Dims{rows, Dim(width)});
  return ok();
}

Status run_vectorizer(const RunContext& c) {
  const std::vector<int64_t> sizes = c.attributes().ints("inputdimensions");
  const auto rows = static_cast<size_t>(c.output(0).shape[0]);
  const auto width = static_cast<size_t>(c.output(0).shape[1]);
  std::vector<double> y(rows * width);
  size_t begin = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const Rows from = read_rows(c.input(i));
    if (from.count != rows) return shape_error("the inputs have different numbers of rows");
    const size_t taken = std::min(from.width, static_cast<size_t>(sizes[i]));
    for (size_t row = 0; row < rows; ++row) {
      for (size_t k = 0; k < taken; ++k) y[row * width + begin + k] = from.row(row)[k];
    }
    begin += static_cast<size_t>(sizes[i]);
  }
  write_doubles(c.output(0), y);
  return ok();
}

// An attribute that has one number for all features, or one for each.
Status fits_features(const InferContext& c, std::string_view name, size_t count) {
  const Dim& width = c.dims(0).back();
  if (count == 1 || may_equal(width, Dim(static_cast<int64_t>(count)))) return ok();
  return attribute_error(name,
                         std::to_string(count) + " numbers for " + width.text() + " features");
}

struct Imputation {
  std::vector<double> values;
  double replaced = 0;
  explicit Imputation(const Attributes& a) : values(numbers_of(a, "imputed_value_floats")) {
    replaced = a.real("replaced_value_float", 0);
    if (!values.empty()) return;
    for (const int64_t number : a.ints("imputed_value_int64s"))
      values.push_back(static_cast<double>(number));
    replaced = static_cast<double>(a.integer("replaced_value_int64", 0));
  }
};

Status infer_imputer(InferContext& c) {
  LAN_OK(require_rank(c, 0, 1));
  const Imputation imputation(c.attributes());
  if (imputation.values.empty())
    return attribute_error("imputed_value_floats", "there are no values");
  LAN_OK(fits_features(c, "imputed_value_floats", imputation.values.size()));
  return infer_same(c);
}

Status run_imputer(const RunContext& c) {
  const Imputation imputation(c.attributes());
  std::vector<double> x = read_doubles(c.input(0));
  const bool nan = std::isnan(imputation.replaced);
  for (size_t i = 0; i < x.size(); ++i) {
    const bool missing = nan ? std::isnan(x[i]) : x[i] == imputation.replaced;
    if (missing) x[i] = imputation.values[i % imputation.values.size()];
  }
  write_doubles(c.output(0), x);
  return ok();
}

Status infer_normalizer(InferContext& c) {
  LAN_OK(require_rows(c));
  const std::string_view norm = c.attributes().text("norm", "MAX");
  if (norm != "MAX" && norm != "L1" && norm != "L2")
    return attribute_error("norm", "it is MAX, L1 or L2");
  c.set_output(0, DType::kF32, c.dims(0));
  return ok();
}

Status run_normalizer(const RunContext& c) {
  const std::string_view norm = c.attributes().text("norm", "MAX");
  Rows rows = read_rows(c.input(0));
  for (size_t row = 0; row < rows.count; ++row) {
    const std::span<double> x = std::span(rows.numbers).subspan(row * rows.width, rows.width);
    double size = norm == "MAX" ? -INFINITY : 0;
    for (const double number : x) {
      if (norm == "MAX") size = std::max(size, number);
      if (norm == "L1") size += std::fabs(number);
      if (norm == "L2") size += number * number;
    }
    if (norm == "L2") size = std::sqrt(size);
    if (size == 0) continue;
    for (double& number : x) number /= size;
  }
  write_doubles(c.output(0), rows.numbers);
  return ok();
}

size_t category_count(const Attributes& a) {
  return std::max(text_list(a, "cats_strings").size(), a.ints("cats_int64s").size());
}

Status infer_one_hot(InferContext& c) {
  const Attributes& a = c.attributes();
  const bool texts = !text_list(a, "cats_strings").empty();
  if (texts != (c.dtype(0) == DType::kString)) {
    return attribute_error("cats_strings", "the categories are not of the input's type");
  }
  Dims dims = c.dims(0);
  dims.emplace_back(static_cast<int64_t>(category_count(a)));
  c.set_output(0, DType::kF32, std::move(dims));
  return ok();
}

Status run_one_hot(const RunContext& c) {
  const Attributes& a = c.attributes();
  std::unordered_map<std::string, size_t> texts;
  std::unordered_map<int64_t, size_t> numbers;
  for (const std::string& text : text_list(a, "cats_strings")) texts.emplace(text, texts.size());
  for (const int64_t number : a.ints("cats_int64s")) numbers.emplace(number, numbers.size());
  std::vector<size_t> places;
  const auto note = [&places](const auto& known, const auto& key) {
    const auto found = known.find(key);
    places.push_back(found == known.end() ? SIZE_MAX : found->second);
  };
  if (c.input(0).dtype == DType::kString) {
    for (const std::string& text : c.input(0).as<std::string>()) note(texts, text);
  } else {
    for (const double number : read_doubles(c.input(0))) {
      note(numbers, std::fabs(number) < 0x1p62 ? static_cast<int64_t>(number) : INT64_MIN);
    }
  }
  const size_t categories = category_count(a);
  std::vector<double> y(places.size() * categories);
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i] != SIZE_MAX)
      y[i * categories + places[i]] = 1;
    else if (a.integer("zeros", 1) == 0)
      return shape_error("an input is of no category");
  }
  write_doubles(c.output(0), y);
  return ok();
}

Status infer_scaler(InferContext& c) {
  LAN_OK(require_rows(c));
  for (const char* name : {"offset", "scale"}) {
    LAN_OK(fits_features(c, name, std::max<size_t>(1, c.attributes().reals(name).size())));
  }
  c.set_output(0, DType::kF32, c.dims(0));
  return ok();
}

Status run_scaler(const RunContext& c) {
  std::vector<double> offset = numbers_of(c.attributes(), "offset"),
                      scale = numbers_of(c.attributes(), "scale");
  if (offset.empty()) offset = {0};
  if (scale.empty()) scale = {1};
  std::vector<double> x = read_doubles(c.input(0));
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = (x[i] - offset[i % offset.size()]) * scale[i % scale.size()];
  }
  write_doubles(c.output(0), x);
  return ok();
}

constexpr uint64_t kF32Type = type_bit(DType::kF32);

constexpr OpDef features(std::string_view name, uint64_t inputs, uint64_t outputs,
                         Status (*infer)(InferContext&), Status (*reference)(const RunContext&)) {
  return {.name = name,
          .domain = kMlDomain,
          .inputs = {{"X", inputs}},
          .outputs = {{"Y", outputs}},
          .accuracy = Accuracy::kRounding,
          .infer = infer,
          .reference = reference};
}

}  // namespace

extern constinit const OpDef op_ml_array_feature_extractor{
    .name = "ArrayFeatureExtractor",
    .domain = kMlDomain,
    .inputs = {{"X", kMlNumbers | kStringType}, {"Y", kI64Type}},
    .outputs = {{"Z", kMlNumbers | kStringType}},
    .infer = infer_extractor,
    .reference = run_extractor,
};
extern constinit const OpDef op_ml_feature_vectorizer{
    .name = "FeatureVectorizer",
    .domain = kMlDomain,
    .inputs = {{"X", kMlNumbers, false, true}},
    .outputs = {{"Y", kF32Type}},
    .infer = infer_vectorizer,
    .reference = run_vectorizer,
};
extern constinit const OpDef op_ml_binarizer =
    features("Binarizer", kMlNumbers, kMlNumbers, infer_same, run_binarizer);
extern constinit const OpDef op_ml_imputer =
    features("Imputer", kMlNumbers, kMlNumbers, infer_imputer, run_imputer);
extern constinit const OpDef op_ml_normalizer =
    features("Normalizer", kMlNumbers, kF32Type, infer_normalizer, run_normalizer);
extern constinit const OpDef op_ml_one_hot_encoder =
    features("OneHotEncoder", kMlNumbers | kStringType, kF32Type, infer_one_hot, run_one_hot);
extern constinit const OpDef op_ml_scaler =
    features("Scaler", kMlNumbers, kF32Type, infer_scaler, run_scaler);

}  // namespace lanthorn
