#include "lanthorn/value.h"

namespace lanthorn {

Value Value::sequence(Sequence items) {
  Value value;
  value.state_ = std::make_shared<const Sequence>(std::move(items));
  return value;
}

Value Value::map(Map entries) {
  Value value;
  value.state_ = std::make_shared<const Map>(std::move(entries));
  return value;
}

const Value::Sequence* Value::sequence() const {
  const auto* shared = std::get_if<std::shared_ptr<const Sequence>>(&state_);
  return shared ? shared->get() : nullptr;
}

const Value::Map* Value::map() const {
  const auto* shared = std::get_if<std::shared_ptr<const Map>>(&state_);
  return shared ? shared->get() : nullptr;
}

}  // namespace lanthorn
