#include "router/place/facts.h"

namespace hearth::router {

ClassPower powerOfClass(const std::string& deviceClass) {
  if (deviceClass == "watch") return {1, 1e-7};
  if (deviceClass == "phone") return {5, 4e-8};
  if (deviceClass == "gpubox") return {250, 1e-8};
  return {28, 4e-8};  // a laptop
}

}  // namespace hearth::router
