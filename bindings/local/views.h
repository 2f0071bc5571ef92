#pragma once
// What the node knows, as messages of the local API.

#include "bindings/bindings.capnp.h"
#include "devices/node/node.h"

namespace hearth::local {

void write(const devices::DeviceView& view, Device::Builder out);
void write(const devices::PendingView& view, Pending::Builder out);
void write(const transport::LinkView& view, const std::string& name, Link::Builder out);
void write(const devices::JobRecord& record, JobSummary::Builder out);
void write(const devices::JobRecord::Event& event, JobEvent::Builder out);
void write(const devices::JobRecord& record, JobRecord::Builder out);
void write(const devices::AnchorSources& sources, Anchors::Builder out);
void writeStatus(const devices::Node& node, const std::vector<devices::DeviceView>& devices,
    size_t jobsRunning, kj::Duration uptime, Status::Builder out);

}  // namespace hearth::local
