#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ops/op.h"

// What the classifiers and regressors of ai.onnx.ml have in common.
namespace lanthorn {

constexpr std::string_view kMlDomain = "ai.onnx.ml";
/// What ai.onnx.ml takes where the text says "numbers".
constexpr uint64_t kMlNumbers =
    type_bit(DType::kF32) | type_bit(DType::kF64) | type_bit(DType::kI64) | type_bit(DType::kI32);

enum class PostTransform : uint8_t { kNone, kSoftmax, kLogistic, kSoftmaxZero, kProbit };

/// The attribute `post_transform`, by its name.
Result<PostTransform> post_transform_of(const Attributes& attributes);
/// Changes the scores of one sample.
void transform_scores(PostTransform transform, std::span<double> scores);
double logistic(double x);

/// Where a lone score of two classes comes from: votes that are all positive are a probability.
enum class LoneScore : uint8_t { kProbability, kMargin };
/// The scores of both classes from the one of the second class, transformed as classifiers have it.
std::vector<double> both_scores(PostTransform transform, double score, LoneScore kind);

/// Class labels, strings or whole numbers, in the attributes `strings` and `numbers`.
class ClassLabels {
 public:
  static ClassLabels of(const Attributes& attributes, std::string_view strings,
                        std::string_view numbers);
  size_t size() const { return texts_ ? texts_->size() : numbers_.size(); }
  DType dtype() const { return texts_ ? DType::kString : DType::kI64; }
  /// Stores label `index`; the index itself where there are no labels.
  void store(const MutableTensorView& to, size_t at, size_t index) const;

 private:
  const std::vector<std::string>* texts_ = nullptr;
  std::vector<int64_t> numbers_;
};

/// The place of the largest number; the first of equal ones.
size_t arg_max(std::span<const double> numbers);

/// Samples in rows: [N, F], or [F] as one. kInvalidInput for anything else.
Status require_rows(const InferContext& c);
Dim row_count(const InferContext& c);
struct Rows {
  size_t count = 0, width = 0;
  std::vector<double> numbers;
  std::span<const double> row(size_t i) const {
    return std::span(numbers).subspan(i * width, width);
  }
};
Rows read_rows(const TensorView& view);
/// Numbers given as floats or, under NAME_as_tensor, as a tensor.
std::vector<double> numbers_of(const Attributes& attributes, const std::string& name);
std::vector<double> numbers_of(const Tensor& tensor);

}  // namespace lanthorn
