// OPS: training_adagrad training_adam training_momentum
// Steps of optimizers: https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html and its
// kin. After the learning rate R and the step T come the tensors in groups: all X, all gradients,
// then each kind of state.

#include <array>
#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

// `groups` of inputs give `groups - 1` groups of outputs: every group but the gradients.
Status infer(InferContext& c, size_t groups) {
  const size_t given = c.input_count() < 2 ? 0 : c.input_count() - 2;
  if (given == 0 || given % groups != 0) {
    return refused("after R and T it takes tensors in " + std::to_string(groups) + " groups");
  }
  const size_t count = given / groups;
  for (size_t i = 0; i < 2; ++i) {
    if (all_known(c.dims(i)) && !product(c.dims(i)).is(1)) return refused("R and T are numbers");
  }
  for (size_t i = 2; i < c.input_count(); ++i) {
    const size_t first = 2 + (i - 2) % count;
    const Dims &x = c.dims(first), &other = c.dims(i);
    bool fits = x.size() == other.size();
    for (size_t d = 0; fits && d < x.size(); ++d) fits = may_equal(x[d], other[d]);
    if (!fits) return refused("input " + std::to_string(i) + " is not of the shape of its X");
    if (i < 2 + count) c.set_output(i - 2, c.input(i));
    if (i >= 2 + 2 * count) c.set_output(i - 2 - count, c.input(i));
  }
  return ok();
}

Status infer_three(InferContext& c) { return infer(c, 3); }
Status infer_four(InferContext& c) { return infer(c, 4); }

// Calls step(x, gradient, states...) element by element; it changes x and the states.
template <size_t kStates, class F>
Status apply(const RunContext& c, F step) {
  const size_t count = (c.input_count() - 2) / (kStates + 2);
  for (size_t tensor = 0; tensor < count; ++tensor) {
    std::vector<double> x = read_doubles(c.input(2 + tensor));
    const std::vector<double> gradient = read_doubles(c.input(2 + count + tensor));
    std::array<std::vector<double>, kStates> states;
    for (size_t s = 0; s < kStates; ++s) {
      states[s] = read_doubles(c.input(2 + (s + 2) * count + tensor));
    }
    for (size_t i = 0; i < x.size(); ++i) {
      if constexpr (kStates == 1) step(x[i], gradient[i], states[0][i]);
      if constexpr (kStates == 2) step(x[i], gradient[i], states[0][i], states[1][i]);
    }
    write_doubles(c.output(tensor), x);
    for (size_t s = 0; s < kStates; ++s)
      write_doubles(c.output((s + 1) * count + tensor), states[s]);
  }
  return ok();
}

struct Step {
  double rate = 0, time = 0, norm = 0;
  explicit Step(const RunContext& c)
      : rate(read_doubles(c.input(0))[0]),
        time(read_doubles(c.input(1))[0]),
        norm(c.attributes().real("norm_coefficient", 0)) {}
};

Status run_adagrad(const RunContext& c) {
  const Step at(c);
  const double epsilon = c.attributes().real("epsilon", 0);
  const double rate = at.rate / (1 + at.time * c.attributes().real("decay_factor", 0));
  return apply<1>(c, [&](double& x, double gradient, double& squares) {
    gradient += at.norm * x;
    squares += gradient * gradient;
    x -= rate * gradient / (std::sqrt(squares) + epsilon);
  });
}

Status run_adam(const RunContext& c) {
  const Step at(c);
  const double alpha = c.attributes().real("alpha", 0.9f);
  const double beta = c.attributes().real("beta", 0.999f);
  const double epsilon = c.attributes().real("epsilon", 0);
  const double after = c.attributes().real("norm_coefficient_post", 0);
  double rate = at.rate;
  if (at.time > 0) {
    rate *= std::sqrt(1 - std::pow(beta, at.time)) / (1 - std::pow(alpha, at.time));
  }
  return apply<2>(c, [&](double& x, double gradient, double& mean, double& squares) {
    gradient += at.norm * x;
    mean = alpha * mean + (1 - alpha) * gradient;
    squares = beta * squares + (1 - beta) * gradient * gradient;
    x = (1 - after) * (x - rate * mean / (std::sqrt(squares) + epsilon));
  });
}

Status run_momentum(const RunContext& c) {
  const Step at(c);
  const double alpha = c.attributes().real("alpha", 0);
  const double beta = at.time > 0 ? c.attributes().real("beta", 0) : 1;
  const bool nesterov = c.attributes().text("mode", "standard") == "nesterov";
  return apply<1>(c, [&](double& x, double gradient, double& momentum) {
    gradient += at.norm * x;
    momentum = alpha * momentum + beta * gradient;
    x -= at.rate * (nesterov ? gradient + alpha * momentum : momentum);
  });
}

constexpr OpDef training(std::string_view name, Status (*infer)(InferContext&),
                         Status (*reference)(const RunContext&)) {
  return {.name = name,
          .domain = "ai.onnx.preview.training",
          .inputs = {{"R", kFloats}, {"T", kI64Type}, {"inputs", kFloats, false, true}},
          .outputs = {{"outputs", kFloats, false, true}},
          .accuracy = Accuracy::kRounding,
          .infer = infer,
          .reference = reference};
}

}  // namespace

extern constinit const OpDef op_training_adagrad = training("Adagrad", infer_three, run_adagrad);
extern constinit const OpDef op_training_adam = training("Adam", infer_four, run_adam);
extern constinit const OpDef op_training_momentum = training("Momentum", infer_three, run_momentum);

}  // namespace lanthorn
