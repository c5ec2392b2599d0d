#include "ops/recurrent_shared.h"

#include <algorithm>

#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

Result<int64_t> direction_count(const Attributes& attributes) {
  const std::string_view direction = attributes.text("direction", "forward");
  if (direction == "bidirectional") return 2;
  if (direction == "forward" || direction == "reverse") return 1;
  return attribute_error("direction", "'" + std::string(direction) + "' is not known");
}

// Alpha and beta of activation `i`; each activation takes from the lists only what it has.
std::vector<float> parameters_of(const std::vector<float>& alphas, const std::vector<float>& betas,
                                 size_t i) {
  std::vector<float> parameters;
  if (i < alphas.size()) parameters.push_back(alphas[i]);
  if (i < betas.size() && !parameters.empty()) parameters.push_back(betas[i]);
  return parameters;
}

std::vector<double> part(const std::vector<double>& all, int64_t direction, int64_t directions) {
  const auto size = static_cast<std::ptrdiff_t>(all.size() / static_cast<size_t>(directions));
  return {all.begin() + direction * size, all.begin() + (direction + 1) * size};
}

}  // namespace

Status infer_recurrent(InferContext& c, int64_t gates, bool has_cell) {
  for (size_t i = 0; i < 3; ++i) {
    if (c.rank(i) != 3) return shape_error("X, W and R must have three dimensions");
  }
  const Dims &x = c.dims(0), &w = c.dims(1), &r = c.dims(2);
  const bool batch_first = c.attributes().integer("layout", 0) == 1;
  LAN_TRY(const int64_t directions, direction_count(c.attributes()));
  const Dim& length = x[batch_first ? 1 : 0];
  const Dim& batch = x[batch_first ? 0 : 1];
  const Dim hidden = r[2];
  const Dim given(c.attributes().integer("hidden_size", hidden.known().value_or(0)));
  const Dim rows = hidden * Dim(gates);
  if (!may_equal(w[0], directions) || !may_equal(r[0], directions) || !may_equal(w[2], x[2]) ||
      !may_equal(w[1], rows) || !may_equal(r[1], rows) || !may_equal(hidden, given)) {
    return shape_error("X " + dims_text(x) + ", W " + dims_text(w) + " and R " + dims_text(r) +
                       " do not fit " + std::to_string(directions) + " directions of " +
                       std::to_string(gates) + " gates");
  }
  if (c.has_input(3) && (c.rank(3) != 2 || !may_equal(c.dims(3)[0], directions) ||
                         !may_equal(c.dims(3)[1], rows * Dim(2)))) {
    return shape_error("B " + dims_text(c.dims(3)) + " does not fit");
  }
  if (c.has_input(4) && (c.rank(4) != 1 || !may_equal(c.dims(4)[0], batch))) {
    return shape_error("sequence_lens must be one number a sample");
  }
  const Dims state =
      batch_first ? Dims{batch, directions, hidden} : Dims{directions, batch, hidden};
  for (size_t i = 5; i < (has_cell ? 7u : 6u); ++i) {
    if (!c.has_input(i)) continue;
    bool fits = c.rank(i) == 3;
    for (size_t k = 0; fits && k < 3; ++k) fits = may_equal(c.dims(i)[k], state[k]);
    if (!fits)
      return shape_error("an initial state is " + dims_text(c.dims(i)) + ", not " +
                         dims_text(state));
  }
  c.set_output(0, c.dtype(0),
               batch_first ? Dims{batch, length, directions, hidden}
                           : Dims{length, directions, batch, hidden});
  c.set_output(1, c.dtype(0), state);
  if (has_cell) c.set_output(2, c.dtype(0), state);
  return ok();
}

RecurrentShape recurrent_shape(const RunContext& c, int64_t gates) {
  RecurrentShape s;
  s.batch_first = c.attributes().integer("layout", 0) == 1;
  s.length = c.input(0).shape[s.batch_first ? 1 : 0];
  s.batch = c.input(0).shape[s.batch_first ? 0 : 1];
  s.size = c.input(0).shape[2];
  s.hidden = c.input(2).shape[2];
  s.directions = c.input(1).shape[0];
  s.gates = gates;
  return s;
}

Result<std::vector<RecurrentDirection>> recurrent_directions(
    const RunContext& c, const RecurrentShape& s,
    std::initializer_list<std::string_view> defaults) {
  const Attributes& a = c.attributes();
  const std::vector<double> w = read_doubles(c.input(1)), r = read_doubles(c.input(2));
  std::vector<double> b(static_cast<size_t>(s.directions * s.gates * s.hidden * 2));
  if (c.has_input(3)) b = read_doubles(c.input(3));
  const Attribute* named = a.find("activations");
  const auto* names = named ? std::get_if<std::vector<std::string>>(named) : nullptr;
  const std::vector<float> alphas = a.reals("activation_alpha"), betas = a.reals("activation_beta");
  std::vector<RecurrentDirection> directions;
  for (int64_t d = 0; d < s.directions; ++d) {
    RecurrentDirection direction;
    direction.w = part(w, d, s.directions);
    direction.r = part(r, d, s.directions);
    direction.b = part(b, d, s.directions);
    direction.clip = a.real("clip", 0);
    direction.reversed = d == 1 || a.text("direction", "forward") == "reverse";
    size_t i = static_cast<size_t>(d) * defaults.size();
    for (const std::string_view usual : defaults) {
      const std::string_view name =
          names && i < names->size() ? std::string_view((*names)[i]) : usual;
      LAN_TRY(const FusedActivation activation,
              FusedActivation::of(name, parameters_of(alphas, betas, i)));
      direction.activations.push_back(activation);
      ++i;
    }
    directions.push_back(std::move(direction));
  }
  return directions;
}

const double* recurrent_row(const RecurrentShape& s, const std::vector<double>& x, int64_t t,
                            int64_t n) {
  return x.data() + (s.batch_first ? n * s.length + t : t * s.batch + n) * s.size;
}

std::vector<double> initial_state(const RunContext& c, const RecurrentShape& s, size_t i) {
  std::vector<double> state(static_cast<size_t>(s.directions * s.batch * s.hidden));
  if (!c.has_input(i)) return state;
  const std::vector<double> given = read_doubles(c.input(i));
  if (!s.batch_first) return given;
  for (size_t at = 0; at < state.size(); ++at) {
    const auto h = static_cast<int64_t>(at) % s.hidden,
               n = static_cast<int64_t>(at) / s.hidden % s.batch;
    const int64_t d = static_cast<int64_t>(at) / (s.hidden * s.batch);
    state[at] = given[static_cast<size_t>((n * s.directions + d) * s.hidden + h)];
  }
  return state;
}

Result<std::vector<int64_t>> sequence_lengths(const RunContext& c, const RecurrentShape& s) {
  if (!c.has_input(4)) return std::vector<int64_t>(static_cast<size_t>(s.batch), s.length);
  std::vector<int64_t> lengths = read_ints(c.input(4));
  for (const int64_t length : lengths) {
    if (length < 0 || length > s.length) {
      return shape_error("a sequence of " + std::to_string(length) + " does not fit " +
                         std::to_string(s.length) + " steps");
    }
  }
  return lengths;
}

void write_recurrent_y(const RunContext& c, const RecurrentShape& s, const std::vector<double>& y) {
  if (c.output_count() == 0 || !c.output(0).present()) return;
  if (!s.batch_first) return write_doubles(c.output(0), y);
  std::vector<double> turned(y.size());
  for (size_t at = 0; at < y.size(); ++at) {
    auto i = static_cast<int64_t>(at);
    const int64_t h = i % s.hidden, n = (i /= s.hidden) % s.batch;
    const int64_t d = (i /= s.batch) % s.directions, t = i / s.directions;
    turned[static_cast<size_t>(((n * s.length + t) * s.directions + d) * s.hidden + h)] = y[at];
  }
  write_doubles(c.output(0), turned);
}

void write_recurrent_state(const RunContext& c, const RecurrentShape& s, size_t output,
                           const std::vector<double>& state) {
  if (output >= c.output_count() || !c.output(output).present()) return;
  if (!s.batch_first) return write_doubles(c.output(output), state);
  std::vector<double> turned(state.size());
  for (size_t at = 0; at < state.size(); ++at) {
    const auto i = static_cast<int64_t>(at);
    const int64_t h = i % s.hidden, n = i / s.hidden % s.batch, d = i / (s.hidden * s.batch);
    turned[static_cast<size_t>((n * s.directions + d) * s.hidden + h)] = state[at];
  }
  write_doubles(c.output(output), turned);
}

}  // namespace lanthorn
