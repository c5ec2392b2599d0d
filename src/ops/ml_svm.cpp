// OPS: ml_svm_classifier ml_svm_regressor
// Support vector machines: https://onnx.ai/onnx/operators/onnx_aionnxml_SVMClassifier.html and its
// kin. Probabilities are coupled as in libsvm: Wu, Lin and Weng, JMLR 5 (2004), algorithm 2.

#include <algorithm>
#include <cmath>

#include "ops/ml_scores_shared.h"
#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

struct Kernel {
  enum class Kind : uint8_t { kLinear, kPoly, kRbf, kSigmoid };
  Kind kind = Kind::kLinear;
  double gamma = 0, offset = 0, degree = 0;

  static Result<Kernel> of(const Attributes& a) {
    const std::string_view text = a.text("kernel_type", "LINEAR");
    Kernel made;
    if (text == "POLY")
      made.kind = Kind::kPoly;
    else if (text == "RBF")
      made.kind = Kind::kRbf;
    else if (text == "SIGMOID")
      made.kind = Kind::kSigmoid;
    else if (text != "LINEAR")
      return attribute_error("kernel_type", "there is no such kernel");
    const std::vector<float> numbers = a.reals("kernel_params");
    if (numbers.size() >= 3) {
      made.gamma = static_cast<double>(numbers[0]);
      made.offset = static_cast<double>(numbers[1]);
      made.degree = static_cast<double>(numbers[2]);
    }
    return made;
  }

  double operator()(std::span<const double> a, const double* b) const {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      sum += kind == Kind::kRbf ? (a[i] - b[i]) * (a[i] - b[i]) : a[i] * b[i];
    }
    if (kind == Kind::kPoly) return std::pow(gamma * sum + offset, degree);
    if (kind == Kind::kSigmoid) return std::tanh(gamma * sum + offset);
    return kind == Kind::kRbf ? std::exp(-gamma * sum) : sum;
  }
};

struct Machine {
  Kernel kernel;
  std::vector<double> vectors, weights, rho, slope, shift;  // slope and shift: of probabilities
  std::vector<int64_t> per_class;
  size_t vector_count = 0, features = 0, classes = 1;

  static Result<Machine> of(const Attributes& a, size_t classes, size_t vector_count) {
    Machine made;
    LAN_TRY(made.kernel, Kernel::of(a));
    made.vectors = numbers_of(a, "support_vectors");
    made.weights = numbers_of(a, "coefficients");
    made.rho = numbers_of(a, "rho");
    made.slope = numbers_of(a, "prob_a");
    made.shift = numbers_of(a, "prob_b");
    made.per_class = a.ints("vectors_per_class");
    made.classes = classes;
    made.vector_count = vector_count;
    if (made.rho.empty()) return attribute_error("rho", "it must be there");
    if (vector_count == 0) {
      // Without support vectors there are plain weights for every class.
      if (classes == 0 || made.weights.size() % classes != 0) {
        return attribute_error("coefficients", "they do not fit the classes");
      }
      made.kernel.kind = Kernel::Kind::kLinear;
      made.features = made.weights.size() / classes;
      return made;
    }
    if (made.vectors.size() % vector_count != 0) {
      return attribute_error("support_vectors", "they are not of equal size");
    }
    made.features = made.vectors.size() / vector_count;
    return made;
  }

  std::vector<double> kernels(std::span<const double> sample) const {
    std::vector<double> made(vector_count);
    for (size_t i = 0; i < vector_count; ++i)
      made[i] = kernel(sample, vectors.data() + i * features);
    return made;
  }
};

Status require_features(const InferContext& c, size_t features) {
  const Dim& width = c.dims(0).back();
  if (may_equal(width, Dim(static_cast<int64_t>(features)))) return ok();
  return shape_error("samples have " + width.text() + " features, not " + std::to_string(features));
}

ClassLabels labels_of(const Attributes& a) {
  return ClassLabels::of(a, "classlabels_strings", "classlabels_ints");
}

Result<Machine> classifier(const Attributes& a) {
  int64_t vectors = 0;
  const std::vector<int64_t> per_class = a.ints("vectors_per_class");
  for (const int64_t count : per_class) {
    if (count < 0 || count > int64_t{1} << 31)
      return attribute_error("vectors_per_class", "negative");
    vectors += count;
  }
  const size_t classes = std::max<size_t>(1, labels_of(a).size());
  LAN_TRY(Machine made, Machine::of(a, classes, static_cast<size_t>(vectors)));
  if (vectors == 0) return made;
  const size_t pairs = classes * (classes - 1) / 2;
  const bool fits =
      per_class.size() == classes && classes >= 2 && made.rho.size() >= pairs &&
      made.weights.size() >= (classes - 1) * made.vector_count &&
      (made.slope.empty() || (made.slope.size() >= pairs && made.shift.size() >= pairs));
  if (!fits) return attribute_error("coefficients", "the attributes do not fit the classes");
  return made;
}

Status infer_classifier(InferContext& c) {
  LAN_OK(require_rows(c));
  LAN_OK(post_transform_of(c.attributes()));
  LAN_TRY(const Machine machine, classifier(c.attributes()));
  LAN_OK(require_features(c, machine.features));
  size_t scores = machine.classes;
  if (machine.vector_count > 0 && machine.slope.empty() && machine.classes > 2) {
    scores = machine.classes * (machine.classes - 1) / 2;
  }
  c.set_output(0, labels_of(c.attributes()).dtype(), Dims{row_count(c)});
  c.set_output(1, DType::kF32, Dims{row_count(c), Dim(static_cast<int64_t>(scores))});
  return ok();
}

// One number for each pair of classes, and how often each class wins.
struct Duels {
  std::vector<double> scores, votes;
};

Duels fight(const Machine& m, std::span<const double> sample) {
  const std::vector<double> kernels = m.kernels(sample);
  std::vector<size_t> starts{0};
  for (const int64_t count : m.per_class)
    starts.push_back(starts.back() + static_cast<size_t>(count));
  Duels duels;
  duels.votes.resize(m.classes);
  for (size_t i = 0; i < m.classes; ++i) {
    for (size_t j = i + 1; j < m.classes; ++j) {
      double sum = m.rho[duels.scores.size()];
      for (size_t k = starts[i]; k < starts[i + 1]; ++k) {
        sum += m.weights[(j - 1) * m.vector_count + k] * kernels[k];
      }
      for (size_t k = starts[j]; k < starts[j + 1]; ++k) {
        sum += m.weights[i * m.vector_count + k] * kernels[k];
      }
      duels.scores.push_back(sum);
      duels.votes[sum > 0 ? i : j] += 1;
    }
  }
  return duels;
}

std::vector<double> couple(size_t k, const std::vector<double>& r) {
  std::vector<double> q(k * k), p(k, 1.0 / static_cast<double>(k)), qp(k);
  for (size_t t = 0; t < k; ++t) {
    for (size_t j = 0; j < k; ++j) {
      if (j == t) continue;
      q[t * k + t] += r[j * k + t] * r[j * k + t];
      q[t * k + j] = -r[j * k + t] * r[t * k + j];
    }
  }
  const double enough = 0.005 / static_cast<double>(k);
  for (size_t round = 0; round < std::max<size_t>(100, k); ++round) {
    double pqp = 0, error = 0;
    for (size_t t = 0; t < k; ++t) {
      qp[t] = 0;
      for (size_t j = 0; j < k; ++j) qp[t] += q[t * k + j] * p[j];
      pqp += p[t] * qp[t];
    }
    for (size_t t = 0; t < k; ++t) error = std::max(error, std::fabs(qp[t] - pqp));
    if (error < enough) break;
    for (size_t t = 0; t < k; ++t) {
      const double change = (pqp - qp[t]) / q[t * k + t];
      p[t] += change;
      pqp = (pqp + change * (change * q[t * k + t] + 2 * qp[t])) / (1 + change) / (1 + change);
      for (size_t j = 0; j < k; ++j) {
        qp[j] = (qp[j] + change * q[t * k + j]) / (1 + change);
        p[j] /= 1 + change;
      }
    }
  }
  return p;
}

std::vector<double> probabilities(const Machine& m, const std::vector<double>& scores) {
  std::vector<double> r(m.classes * m.classes);
  size_t next = 0;
  for (size_t i = 0; i < m.classes; ++i) {
    for (size_t j = i + 1; j < m.classes; ++j, ++next) {
      const double chance = 1 - logistic(scores[next] * m.slope[next] + m.shift[next]);
      r[i * m.classes + j] = std::clamp(chance, 1e-7, 1 - 1e-7);
      r[j * m.classes + i] = 1 - r[i * m.classes + j];
    }
  }
  return couple(m.classes, r);
}

Status run_classifier(const RunContext& c) {
  LAN_TRY(const Machine m, classifier(c.attributes()));
  LAN_TRY(const PostTransform transform, post_transform_of(c.attributes()));
  const ClassLabels labels = labels_of(c.attributes());
  const Rows rows = read_rows(c.input(0));
  const auto width = static_cast<size_t>(c.output(1).shape[1]);
  std::vector<double> y;
  for (size_t i = 0; i < rows.count; ++i) {
    const auto sample = rows.row(i);
    std::vector<double> scores;
    size_t label = 0;
    if (m.vector_count == 0) {
      for (size_t k = 0; k < m.classes; ++k) {
        scores.push_back(m.kernel(sample, m.weights.data() + k * m.features) + m.rho[0]);
      }
      label = arg_max(scores);
      if (m.classes == 1) label = scores[0] > 0 ? 1 : 0;
    } else {
      Duels duels = fight(m, sample);
      const bool likely = !m.slope.empty();
      scores = likely ? probabilities(m, duels.scores) : std::move(duels.scores);
      label = arg_max(duels.votes);
    }
    if (scores.size() == 1 && width == 2) scores.insert(scores.begin(), -scores[0]);
    transform_scores(transform, scores);
    scores.resize(width);
    y.insert(y.end(), scores.begin(), scores.end());
    labels.store(c.output(0), i, label);
  }
  write_doubles(c.output(1), y);
  return ok();
}

Result<Machine> regressor(const Attributes& a) {
  const int64_t vectors = a.integer("n_supports", 0);
  if (vectors < 0) return attribute_error("n_supports", "it is negative");
  LAN_TRY(Machine made, Machine::of(a, 1, static_cast<size_t>(vectors)));
  if (made.weights.size() >= made.vector_count) return made;
  return attribute_error("coefficients", "there are fewer than support vectors");
}

Status infer_regressor(InferContext& c) {
  LAN_OK(require_rows(c));
  LAN_OK(post_transform_of(c.attributes()));
  LAN_TRY(const Machine machine, regressor(c.attributes()));
  LAN_OK(require_features(c, machine.features));
  c.set_output(0, DType::kF32, Dims{row_count(c), Dim(1)});
  return ok();
}

Status run_regressor(const RunContext& c) {
  LAN_TRY(const Machine m, regressor(c.attributes()));
  LAN_TRY(const PostTransform transform, post_transform_of(c.attributes()));
  const bool one_class = c.attributes().integer("one_class", 0) != 0;
  const Rows rows = read_rows(c.input(0));
  std::vector<double> y(rows.count);
  for (size_t i = 0; i < rows.count; ++i) {
    double sum = m.rho[0];
    if (m.vector_count == 0) sum += m.kernel(rows.row(i), m.weights.data());
    const std::vector<double> kernels = m.kernels(rows.row(i));
    for (size_t k = 0; k < kernels.size(); ++k) sum += m.weights[k] * kernels[k];
    y[i] = one_class ? (sum > 0 ? 1 : -1) : sum;
    transform_scores(transform, std::span(y).subspan(i, 1));
  }
  write_doubles(c.output(0), y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_ml_svm_classifier{
    .name = "SVMClassifier",
    .domain = kMlDomain,
    .inputs = {{"X", kMlNumbers}},
    .outputs = {{"Y", kStringType | kI64Type}, {"Z", type_bit(DType::kF32)}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_classifier,
    .reference = run_classifier,
};

extern constinit const OpDef op_ml_svm_regressor{
    .name = "SVMRegressor",
    .domain = kMlDomain,
    .inputs = {{"X", kMlNumbers}},
    .outputs = {{"Y", type_bit(DType::kF32)}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_regressor,
    .reference = run_regressor,
};

}  // namespace lanthorn
